package okredis_test

func runRole(role string) int { return 2 }
