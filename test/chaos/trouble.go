package chaos

import (
	"time"

	"github.com/go-okru/okru/oktest"
)

// apply makes a change of the schedule happen.
func (s *soak) apply(c change) {
	switch c.kind {
	case restart:
		if c.ends {
			_ = s.proxy.reopen(5 * time.Second) // if it fails, no client recovers
			return
		}
		s.weather.hits[restart].Add(1)
		s.proxy.shut()
	case limit:
		s.limit(c)
	case revocation, expiry, replacement:
		s.spoilSessions(c)
	case rotation:
		s.service.rotate(!c.ends)
		if !c.ends {
			s.provoke(rotation)
		}
	default:
		s.change(c)
	}
}

// change sets the odds of a kind, and provokes it when it begins and when it
// would end without having happened.
func (s *soak) change(c change) {
	if c.ends {
		s.weather.end(c.kind)
	} else {
		s.weather.set(c.kind, s.odds(c))
	}
	if s.weather.odds[c.kind].Load() > 0 {
		s.provoke(c.kind)
	}
}

// odds returns the odds of c. Over HTTP/2 all calls of a client share a
// connection, so each piece of data that breaks it fails several calls.
func (s *soak) odds(c change) int32 {
	switch c.kind {
	case resetBefore, resetAfter, silence, truncation:
		if s.plan.http2 {
			return max(1, c.odds/4)
		}
	}
	return c.odds
}

// provoke brings about what k is about: new connections, or renewals. There
// are few of them otherwise.
func (s *soak) provoke(k kind) {
	switch k {
	case garbage, impostor, noName:
		s.proxy.cut()
	case slowRenewal, noRenewal, cutRenewal, rotation:
		s.spoilSessions(change{kind: expiry})
	}
}

// limit makes the server allow about half of what is asked for, to begin with.
func (s *soak) limit(c change) {
	if c.ends {
		s.service.Limit()
		return
	}
	s.weather.hits[limit].Add(1)
	s.service.Limit(
		oktest.Limit{PerSecond: s.pace.rate() / 2, Burst: 20},
		oktest.Limit{PerSecond: s.pace.rate() / float64(s.plan.people), Burst: 5, Per: oktest.PerUser, Status: 429, TellWait: true})
}

// spoilSessions ends the sessions of all users at once, but for the eternal
// ones: they cannot be renewed.
func (s *soak) spoilSessions(c change) {
	for _, p := range s.people {
		if !c.ends && p.way != byHand {
			s.service.spoil(c.kind, p.ID())
		}
	}
}

// calm ends all trouble.
func (s *soak) calm() {
	s.weather.calm()
	s.service.Limit()
	s.service.rotate(false)
	_ = s.proxy.reopen(5 * time.Second)
}
