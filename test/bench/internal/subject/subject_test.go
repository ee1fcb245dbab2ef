package subject_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/test/bench/internal/subject"
	"github.com/go-okru/okru/transport"
)

// each runs a test for every subject that does all of job.
func each(t *testing.T, job subject.Job, test func(t *testing.T, s subject.Subject)) {
	t.Helper()
	found := false
	for _, s := range subject.All() {
		if s.Job.Has(job) {
			found = true
			t.Run(strings.ReplaceAll(s.Name, "`", ""), func(t *testing.T) { test(t, s) })
		}
	}
	if !found {
		t.Errorf("no subject does %s", job)
	}
}

func newCall(t *testing.T, s subject.Subject, target subject.Target) subject.Call {
	t.Helper()
	call, err := s.New(target)
	if err != nil {
		t.Fatal(err)
	}
	return call
}

// A call is made again and again, and each time the whole response comes.
func wantAnswers(t *testing.T, call subject.Call) {
	t.Helper()
	for range 3 {
		var answer bytes.Buffer
		if err := call(&answer); err != nil || answer.String() != subject.Answer {
			t.Fatalf("answer %q, %v; want %q", &answer, err, subject.Answer)
		}
	}
}

func TestSubjectsAnswerFromMemory(t *testing.T) {
	each(t, 0, func(t *testing.T, s subject.Subject) { wantAnswers(t, newCall(t, s, subject.InMemory())) })
}

func TestSubjectsAnswerOverLoopback(t *testing.T) {
	server := subject.Listen(subject.Plain)
	defer server.Close()
	each(t, 0, func(t *testing.T, s subject.Subject) {
		target := server.Target()
		sent := record(&target)
		wantAnswers(t, newCall(t, s, target))
		signed := sent.last.URL.Query().Has("sig")
		if want := s.Job.Has(subject.Signs); signed != want {
			t.Errorf("a signature was sent: %v; want %v", signed, want)
		}
	})
}

// A bare client sends the bytes that our stack sends, by the protocol.
func TestSigned(t *testing.T) {
	for _, p := range []struct {
		subject.Protocol
		want string
	}{{subject.Plain, "HTTP/1.1"}, {subject.HTTP1S, "HTTP/1.1"}, {subject.HTTP2, "HTTP/2.0"}} {
		server := subject.Listen(p.Protocol)
		defer server.Close()
		stack := server.Target()
		bare, err := subject.Signed(stack)
		if err != nil {
			t.Fatal(err)
		}
		byStack, byBare := record(&stack), record(&bare)
		for name, target := range map[string]subject.Target{subject.Stack: stack, subject.Bare: bare} {
			call, err := subject.Named(name, target)
			if err != nil {
				t.Fatal(err)
			}
			wantAnswers(t, call)
		}
		if got, want := byBare.last.URL.String(), byStack.last.URL.String(); got != want || !byBare.last.URL.Query().Has("sig") {
			t.Errorf("%s: the bare client sends %s, the stack %s", p.Protocol, got, want)
		}
		if byStack.proto != p.want || byBare.proto != p.want {
			t.Errorf("%s: the protocols are %s and %s", p.Protocol, byStack.proto, byBare.proto)
		}
	}
}

// recorder records the last request, and how it was sent.
type recorder struct {
	next  http.RoundTripper
	last  *http.Request
	proto string // of the last response
}

func record(t *subject.Target) *recorder {
	r := &recorder{next: t.Base}
	t.Base = r
	return r
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.last = req.Clone(req.Context())
	resp, err := r.next.RoundTrip(req)
	if err == nil {
		r.proto = resp.Proto
	}
	return resp, err
}

// The fake checks signatures with code of its own.
func TestSignersAreAcceptedByOK(t *testing.T) {
	each(t, subject.Signs, func(t *testing.T, s subject.Subject) {
		target := subject.InMemory()
		fake := oktest.NewServer(oktest.App{Key: target.Key, Secret: target.Secret})
		defer fake.Close()
		target.Base, target.Token = fake.InProcess(), fake.NewUser("anna", "password").Token()
		if err := newCall(t, s, target)(io.Discard); err != nil {
			t.Fatal(err)
		}
		calls := fake.Calls()
		if len(calls) != 1 || !calls[0].Ran || calls[0].Circuit != "server" || calls[0].Method != "users.getInfo" {
			t.Errorf("the fake had %v; want one users.getInfo that ran, signed on the server circuit", calls)
		}
	})
}

func TestSignaturesAreTheSame(t *testing.T) {
	each(t, subject.Signs, func(t *testing.T, s subject.Subject) {
		target := subject.InMemory()
		sent := record(&target)
		wantAnswers(t, newCall(t, s, target))
		params := sent.last.URL.Query()
		sig, token := params.Get("sig"), params.Get("access_token")
		want := transport.Signature(params, transport.DeriveSecret(target.Token.AccessToken, target.Secret))
		if sig != want || token != target.Token.AccessToken {
			t.Errorf("a call signed by %q with the token %q; want %q and %q", sig, token, want, target.Token.AccessToken)
		}
	})
}

// What the signer is measured against hashes the same bytes.
func TestSignedText(t *testing.T) {
	params := url.Values{"b": {"2"}, "a": {"1 й"}, "ab": {""}}
	sum := md5.Sum([]byte(subject.SignedText(params, "token", "secret")))
	want := transport.Signature(params, transport.DeriveSecret("token", "secret"))
	if sig := hex.EncodeToString(sum[:]); sig != want {
		t.Errorf("signature %s, want %s", sig, want)
	}
}

func TestSubjectsThatAuthorizeSendTheSession(t *testing.T) {
	each(t, subject.Authorizes, func(t *testing.T, s subject.Subject) {
		target := subject.InMemory()
		sent := record(&target)
		wantAnswers(t, newCall(t, s, target))
		where := sent.last.URL.Query().Get("access_token") + sent.last.Header.Get("Authorization")
		if !strings.Contains(where, target.Token.AccessToken) {
			t.Error("a call without the session")
		}
	})
}

// flaky rejects the first two requests.
type flaky struct {
	next     http.RoundTripper
	requests int
}

func (f *flaky) RoundTrip(r *http.Request) (*http.Response, error) {
	f.requests++
	resp, err := f.next.RoundTrip(r)
	if f.requests <= 2 && err == nil {
		resp.Status, resp.StatusCode = "503 Service Unavailable", http.StatusServiceUnavailable
	}
	return resp, err
}

func TestSubjectsThatRetryGetThere(t *testing.T) {
	each(t, subject.Retries, func(t *testing.T, s subject.Subject) {
		synctest.Test(t, func(t *testing.T) {
			target := subject.InMemory()
			base := &flaky{next: target.Base}
			target.Base = base
			wantAnswers(t, newCall(t, s, target))
			if base.requests != 5 {
				t.Errorf("%d requests for 3 calls of which the first fails twice; want 5", base.requests)
			}
		})
	})
}

func TestSubjectsThatLimitKeepTheRate(t *testing.T) {
	each(t, subject.Limits, func(t *testing.T, s subject.Subject) {
		synctest.Test(t, func(t *testing.T) {
			target := subject.InMemory()
			target.Rate = 2
			start := time.Now()
			wantAnswers(t, newCall(t, s, target))
			if took := time.Since(start); took != time.Second {
				t.Errorf("3 calls at 2 per second took %v; want 1s", took)
			}
		})
	})
}

// failing responds with an API error.
type failing struct{}

func (failing) RoundTrip(*http.Request) (*http.Response, error) {
	const answer = `{"error_code":10,"error_msg":"PERMISSION_DENIED"}`
	return subject.Respond(io.NopCloser(strings.NewReader(answer)), int64(len(answer))), nil
}

func TestSubjectsThatFindErrors(t *testing.T) {
	each(t, 0, func(t *testing.T, s subject.Subject) {
		target := subject.InMemory()
		target.Base = failing{}
		err := newCall(t, s, target)(io.Discard)
		if found := errors.Is(err, okerrors.ErrPermission); found != s.Job.Has(subject.FindsErrors) {
			t.Errorf("error of the call: %v", err)
		}
	})
}

func TestNamed(t *testing.T) {
	for _, name := range []string{subject.Bare, subject.Stack, subject.StackLimited, subject.Usual, subject.UsualSigned, subject.RestyV3} {
		if _, err := subject.Named(name, subject.InMemory()); err != nil {
			t.Error(err)
		}
	}
	if _, err := subject.Named("nobody", subject.InMemory()); err == nil {
		t.Error("no error for a name that no subject has")
	}
}
