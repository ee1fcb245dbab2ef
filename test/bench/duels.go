package main

import (
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"net/url"

	"github.com/go-okru/okru/test/bench/internal/rounds"
	"github.com/go-okru/okru/test/bench/internal/subject"
)

// duels are pairs that are measured against each other without the bare client
// between them.
type duels struct {
	sign        rounds.Result // the Signer against MD5 and hex of the same bytes
	usual       rounds.Result // … against x/oauth2 and go-retryablehttp
	usualSigned rounds.Result // … with naive signing
}

func measureDuels(plan rounds.Plan) (duels, error) {
	pairs, err := duelPairs()
	if err != nil {
		return duels{}, err
	}
	r, err := rounds.Measure(plan, pairs)
	if err != nil {
		return duels{}, err
	}
	return duels{sign: r[0], usual: r[1], usualSigned: r[2]}, nil
}

// duelPairs returns the pairs in the order of the fields.
func duelPairs() ([]rounds.Pair, error) {
	t := subject.InMemory()
	sign, err := signAndHash(t)
	if err != nil {
		return nil, err
	}
	pairs := []rounds.Pair{sign}
	for _, peer := range []string{subject.Usual, subject.UsualSigned} {
		stack, err := subject.Named(subject.Stack, t)
		if err != nil {
			return nil, err
		}
		base, err := subject.Named(peer, t)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, rounds.Pair{Subject: discarding(stack), Base: discarding(base)})
	}
	return pairs, nil
}

// signAndHash is the whole cost of the layer that signs, over a RoundTripper
// that costs nothing, and what every signature needs.
func signAndHash(t subject.Target) (rounds.Pair, error) {
	t.Base = ready{subject.Respond(http.NoBody, 0)}
	layer := subject.Signer(t)
	r, err := http.NewRequest(http.MethodGet, t.URL, nil)
	if err != nil {
		return rounds.Pair{}, err
	}
	text := []byte(signedText(r.URL, t))
	var sig [2 * md5.Size]byte
	return rounds.Pair{
		Subject: func() error {
			_, err := layer.RoundTrip(r)
			return err
		},
		Base: func() error {
			sum := md5.Sum(text)
			hex.Encode(sig[:], sum[:])
			return nil
		},
	}, nil
}

// signedText is what the signature of the call is the MD5 of.
func signedText(u *url.URL, t subject.Target) string {
	params := u.Query()
	params.Set("application_key", t.Key)
	return subject.SignedText(params, t.Token.AccessToken, t.Secret)
}

// ready always returns the same response.
type ready struct{ resp *http.Response }

// RoundTrip implements [http.RoundTripper].
func (r ready) RoundTrip(*http.Request) (*http.Response, error) { return r.resp, nil }
