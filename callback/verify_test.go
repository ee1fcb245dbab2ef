package callback_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/go-okru/okru/callback"
)

func with(params url.Values, name string, values ...string) url.Values {
	changed := url.Values{}
	for n, v := range params {
		changed[n] = v
	}
	if changed[name] = values; len(values) == 0 {
		delete(changed, name)
	}
	return changed
}

func TestVerify(t *testing.T) {
	good := sign(payment(), appSecret)
	for name, test := range map[string]struct {
		params url.Values
		want   error
	}{
		"authentic":           {good, nil},
		"unknown parameter":   {sign(payment("trial_days", "3"), appSecret), nil},
		"covers access_token": {sign(payment("access_token", "x", "resig", "y"), appSecret), nil},
		"empty value":         {sign(with(payment(), "card_promo", ""), appSecret), nil},
		"raw UTF-8":           {sign(payment("extra_attributes", "привет 🙂"), appSecret), nil},

		"nothing":           {nil, callback.ErrIncomplete},
		"no sig":            {payment(), callback.ErrIncomplete},
		"empty sig":         {with(good, "sig", ""), callback.ErrIncomplete},
		"upper case":        {with(good, "sig", strings.ToUpper(good.Get("sig"))), callback.ErrForged},
		"sig of another":    {with(good, "sig", strings.Repeat("0", 32)), callback.ErrForged},
		"cut sig":           {with(good, "sig", good.Get("sig")[:31]), callback.ErrForged},
		"amount changed":    {with(good, "amount", "1"), callback.ErrForged},
		"parameter added":   {with(good, "free", "1"), callback.ErrForged},
		"resig added":       {with(good, "resig", "1"), callback.ErrForged},
		"token added":       {with(good, "access_token", "1"), callback.ErrForged},
		"parameter removed": {with(good, "product_option"), callback.ErrForged},
		"duplicate amount":  {with(good, "amount", "100", "1"), callback.ErrForged},
		"duplicate sig":     {with(good, "sig", good.Get("sig"), good.Get("sig")), callback.ErrForged},
		"other secret":      {sign(payment(), appSecret+"x"), callback.ErrForged},
		"empty secret":      {sign(payment(), ""), callback.ErrForged},
	} {
		if err := callback.Verify(test.params, appSecret); !errors.Is(err, test.want) {
			t.Errorf("%s: error is %v, want %v", name, err, test.want)
		}
	}
}

// The text that is signed has no separators, so that two sets of parameters may
// have one signature. That is OK's design: this test documents it.
func TestVerifyReadsTextWithoutSeparators(t *testing.T) {
	signed := sign(url.Values{"a": {"1b=2"}}, appSecret)
	moved := url.Values{"a": {"1"}, "b": {"2"}, "sig": signed["sig"]}
	if err := callback.Verify(moved, appSecret); err != nil {
		t.Errorf("error is %v", err)
	}
}

func TestVerifyLaunch(t *testing.T) {
	good, digit := launch("578000000001", "-s-canary"), launch("578000000001", "2-s-canary")
	for name, test := range map[string]struct {
		params url.Values
		want   error
	}{
		"authentic":                   {good, nil},
		"without sig":                 {with(good, "sig"), nil},
		"session begins with a digit": {digit, nil},
		"a digit, without sig":        {with(digit, "sig"), callback.ErrIncomplete},
		"a user that is not a number": {with(launch("anna", "-s-canary"), "sig"), callback.ErrIncomplete},
		// OK's session keys do not begin with a digit. If one did, auth_sig alone
		// could not detect that the digit was moved to the user. sig can.
		"a digit moved to the user":      {with(with(with(launch("57800000000", "1-s-canary"), "logged_user_id", "578000000001"), "session_key", "-s-canary"), "sig"), nil},
		"... which sig does not allow":   {with(with(launch("57800000000", "1-s-canary"), "logged_user_id", "578000000001"), "session_key", "-s-canary"), callback.ErrForged},
		"another user":                   {with(good, "logged_user_id", "578000000002"), callback.ErrForged},
		"another session":                {with(good, "session_key", "-s-other"), callback.ErrForged},
		"parameter changed":              {with(good, "authorized", "0"), callback.ErrForged},
		"parameter added":                {with(good, "custom_args", "x"), callback.ErrForged},
		"session secret changed":         {with(good, "session_secret_key", "x"), callback.ErrForged},
		"duplicate user":                 {with(good, "logged_user_id", "578000000001", "1"), callback.ErrForged},
		"underscores, as an old SDK has": {with(with(good, "auth_sig", md5Hex("578000000001_-s-canary_"+appSecret)), "sig"), callback.ErrForged},
		"no auth_sig":                    {with(good, "auth_sig"), callback.ErrIncomplete},
		"no user":                        {with(good, "logged_user_id"), callback.ErrIncomplete},
		"no session":                     {with(good, "session_key", ""), callback.ErrIncomplete},
		"nothing":                        {nil, callback.ErrIncomplete},
	} {
		if err := callback.VerifyLaunch(test.params, appSecret); !errors.Is(err, test.want) {
			t.Errorf("%s: error is %v, want %v", name, err, test.want)
		}
	}
}

// A secret that cannot be right is a mistake of the program, not of OK.
func TestSecretMustBeSet(t *testing.T) {
	for _, secret := range []string{"", " ", appSecret + "\n", "\t" + appSecret} {
		for name, verify := range map[string]func(url.Values, string) error{"Verify": callback.Verify, "VerifyLaunch": callback.VerifyLaunch} {
			params := sign(payment(), secret)
			if name == "VerifyLaunch" {
				params = url.Values{"logged_user_id": {"1"}, "session_key": {"s"}, "auth_sig": {md5Hex("1s" + secret)}}
			}
			err := verify(params, secret)
			if err == nil || errors.Is(err, callback.ErrForged) || errors.Is(err, callback.ErrIncomplete) {
				t.Errorf("%s with secret %q: error is %v", name, secret, err)
			}
		}
	}
}

// Whatever the parameters are, they verify as signed, and no longer after any
// change of one value.
func FuzzVerify(f *testing.F) {
	f.Add("amount", "100", "currency", "ok", appSecret)
	f.Add("a", "", "a1", "ё", "s")
	f.Add("sig", "x", "resig", "\x00", " s")
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2, secret string) {
		if name1 == "sig" || name2 == "sig" || secret == "" || strings.TrimSpace(secret) != secret {
			t.Skip()
		}
		params := url.Values{name1: {value1}, name2: {value2}}
		signed := sign(params, secret)
		if err := callback.Verify(signed, secret); err != nil {
			t.Fatalf("signed parameters: %v", err)
		}
		if err := callback.Verify(with(signed, name2, value2+"x"), secret); name1 != name2 && err == nil {
			t.Errorf("%q changed, and no error", name2)
		}
	})
}
