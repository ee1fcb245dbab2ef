package oktest

import (
	"maps"
	"net/url"
	"slices"
)

// Calls returns every call of the API that s accepted or refused, in the order
// of arrival, the ones under way included. It is a copy.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copies(s.journal)
}

// Exchanges returns every request to the token endpoint, in the order of
// arrival. It is a copy.
func (s *Server) Exchanges() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copies(s.exchanges)
}

// ForgetCalls empties the journal: what Calls, Exchanges and Duplicates return
// starts anew. A journal grows for ever otherwise.
func (s *Server) ForgetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal, s.exchanges = nil, nil
}

// Duplicates counts the calls that ran in vain: those that ran with a value of
// the parameter param with which another call had run before. Give every write
// a value of its own, and it tells how often a write was repeated that had
// been done already. Calls without the parameter do not count.
func (s *Server) Duplicates(param string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := make(map[string]bool)
	duplicates := 0
	for _, c := range s.journal {
		if !c.Ran || !c.Params.Has(param) {
			continue
		}
		if value := c.Params.Get(param); seen[value] {
			duplicates++
		} else {
			seen[value] = true
		}
	}
	return duplicates
}

func copies(journal []*Call) []Call {
	calls := make([]Call, len(journal))
	for i, c := range journal {
		calls[i] = *c
		calls[i].Params = cloneValues(c.Params)
		calls[i].Query = cloneValues(c.Query)
	}
	return calls
}

func cloneValues(v url.Values) url.Values {
	clone := maps.Clone(v)
	for name, values := range clone {
		clone[name] = slices.Clone(values)
	}
	return clone
}

// enter makes an entry for c in a journal. The returned function brings the
// entry up to date.
func (s *Server) enter(journal *[]*Call, c *Call) (update func()) {
	entry := new(Call)
	*entry = *c
	s.mu.Lock()
	defer s.mu.Unlock()
	*journal = append(*journal, entry)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		*entry = *c
	}
}
