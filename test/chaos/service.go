package chaos

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

// The methods that callers call. By its name the first one may be repeated and
// the second may not.
const (
	readMethod  = "chaos.getEcho"
	writeMethod = "chaos.addEcho"
)

// An echo is the response of a call: its parameters, and the user of its
// session.
type echo struct {
	Number int    `json:"number"`
	User   string `json:"user"`
	Method string `json:"method"`
	Filler string `json:"filler"` // as long as the call asked for
}

// sessionLifetime is how long sessions last that are not ended before.
const sessionLifetime = 4 * time.Second

// A service is the fake OK with two methods, in any weather.
type service struct {
	*oktest.Server
	weather *weather
	ledger  *ledger
	witness *witness

	rotates atomic.Bool // renewals replace refresh tokens

	victim string // the id of the user who gets hugeWait

	users  sync.Map // ids by access token
	tokens sync.Map // the last access token by user id
}

func newService(w *weather, l *ledger, seen *witness) *service {
	s := &service{Server: oktest.NewServer(oktest.App{}), weather: w, ledger: l, witness: seen}
	s.rotate(false)
	s.witness.secrets.add(s.App().Secret)
	s.Handle(readMethod, s.read)
	s.Handle(writeMethod, s.write)
	s.Inject(oktest.Fault{Match: s.see}) // changes no response
	s.Inject(oktest.Fault{Method: oktest.TokenEndpoint, Match: s.seeRenewal})
	for _, f := range s.faults() {
		s.Inject(f)
	}
	return s
}

// refreshGrace is how long a refresh token works after it was replaced. Without
// it, a client that does not get the response of a renewal, or another client
// with the same refresh token, would lose the session for good: no client can
// do anything about that.
const refreshGrace = time.Minute

// rotate makes each renewal replace the refresh token, or not.
func (s *service) rotate(on bool) {
	s.Configure(oktest.Settings{AccessLifetime: sessionLifetime, RotateRefresh: on, RefreshGrace: refreshGrace})
	s.rotates.Store(on)
}

// seeRenewal is asked about every exchange for a session. It is no fault.
func (s *service) seeRenewal(c oktest.Call) bool {
	if s.rotates.Load() && c.Params.Get("grant_type") == "refresh_token" {
		s.weather.hits[rotation].Add(1)
	}
	return false
}

// see is asked before anything else about every call. It is no fault.
func (s *service) see(c oktest.Call) bool {
	if token := c.Params.Get("access_token"); token != "" && c.UserID != "" {
		s.users.Store(token, c.UserID)
		s.tokens.Store(c.UserID, token)
	}
	return false
}

// faults returns the troubles with responses and renewals.
func (s *service) faults() []oktest.Fault {
	when := func(k kind, f oktest.Fault) oktest.Fault {
		f.Match = func(oktest.Call) bool { return s.weather.strikes(k) }
		return f
	}
	list := []oktest.Fault{
		when(status429, oktest.Fault{Status: 429, RetryAfter: time.Second}),
		when(status503, oktest.Fault{Status: 503, RetryAfter: time.Second}),
		when(longWait, oktest.Fault{Status: 429, RetryAfter: 4 * time.Second}),
		when(code8, oktest.Fault{Code: okerrors.CodeFloodBlocked}),
		when(code9, oktest.Fault{Code: okerrors.CodeIPBlocked}),
		when(cutAnswer, oktest.Fault{Truncate: true}),
		when(lateAnswer, oktest.Fault{Delay: 500 * time.Millisecond}),
		when(lateChunk, oktest.Fault{Pause: 200 * time.Millisecond, Chunked: true}),
		when(goAway, oktest.Fault{Header: http.Header{"Connection": {"close"}}}),
		when(slowRenewal, oktest.Fault{Method: oktest.TokenEndpoint, Delay: time.Second}),
		when(noRenewal, oktest.Fault{Method: oktest.TokenEndpoint, Status: 502, Body: oktest.HTMLPage}),
		when(cutRenewal, oktest.Fault{Method: oktest.TokenEndpoint, Reset: true, AfterRun: true}),
	}
	for _, wait := range []string{"99999999999", "Fri, 31 Dec 9999 23:59:59 GMT"} {
		list = append(list, oktest.Fault{Status: 429, Header: http.Header{"Retry-After": {wait}}, Match: func(c oktest.Call) bool {
			return c.UserID == s.victim && s.weather.strikes(hugeWait)
		}})
	}
	for i, wait := range []string{"-1", "soon", "Mon, 02 Jan 2006 15:04:05 GMT", "0"} {
		status := []int{http.StatusTooManyRequests, http.StatusServiceUnavailable}[i%2]
		list = append(list, when(wrongWait, oktest.Fault{Status: status, Header: http.Header{"Retry-After": {wait}}}))
	}
	for _, ran := range []bool{false, true} {
		list = append(list,
			when(code1, oktest.Fault{Code: okerrors.CodeUnknown, AfterRun: ran}),
			when(code2, oktest.Fault{Code: okerrors.CodeService, AfterRun: ran}),
			when(page502, oktest.Fault{Status: 502, Body: oktest.HTMLPage, AfterRun: ran}))
	}
	return list
}

func (s *service) read(p url.Values) (any, error) { return s.echo(readMethod, p) }

func (s *service) write(p url.Values) (any, error) { return s.echo(writeMethod, p) }

func (s *service) echo(method string, p url.Values) (any, error) {
	number, err := strconv.Atoi(p.Get("number"))
	if err != nil || !s.ledger.ran(number) {
		return nil, okerrors.CodeParam
	}
	size, _ := strconv.Atoi(p.Get("size"))
	user, _ := s.users.Load(p.Get("access_token"))
	id, _ := user.(string)
	return echo{Number: number, User: id, Method: method, Filler: strings.Repeat("x", size)}, nil
}

// spoil does k to the session that a user used last.
func (s *service) spoil(k kind, userID string) {
	last, ok := s.tokens.Load(userID)
	if !ok {
		return
	}
	token := last.(string)
	s.weather.hits[k].Add(1)
	switch k {
	case revocation:
		s.Revoke(token)
	case expiry:
		s.Expire(token)
	case replacement:
		s.Replace(token)
	}
}
