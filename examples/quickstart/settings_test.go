package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestSettingsNameWhatIsMissing(t *testing.T) {
	const key, secret, token, session = "OKRU_APPLICATION_KEY", "OKRU_APPLICATION_SECRET", "OKRU_ACCESS_TOKEN", "OKRU_SESSION_SECRET_KEY"
	for name, test := range map[string]struct{ set, missing []string }{
		"nothing: the fake": {nil, nil},
		"no key: the fake":  {[]string{secret, token, session}, nil},
		"all":               {[]string{key, secret, token, session}, nil},
		"no session secret": {[]string{key, secret, token}, nil},
		"no secret":         {[]string{key, session, token}, nil},
		"the key alone":     {[]string{key}, []string{token, secret, session}},
		"no token":          {[]string{key, secret, session}, []string{token}},
		"neither secret":    {[]string{key, token}, []string{secret, session}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range []string{key, secret, token, session} {
				t.Setenv(v, "")
				if slices.Contains(test.set, v) {
					t.Setenv(v, "value of "+v)
				}
			}
			cfg, _, stop, err := settings()
			defer stop()
			if (err == nil) != (test.missing == nil) {
				t.Fatalf("error is %v, want one that names %v", err, test.missing)
			}
			if err == nil {
				_, err = cfg.TokenSource.Token()
			}
			for _, v := range []string{key, secret, token, session} {
				if strings.Contains(fmt.Sprint(err), v) != slices.Contains(test.missing, v) {
					t.Errorf("error is %v, want one that names %v", err, test.missing)
				}
			}
		})
	}
}
