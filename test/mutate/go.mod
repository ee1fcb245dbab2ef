module github.com/go-okru/okru/test/mutate

go 1.26
