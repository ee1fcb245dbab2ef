package ratelimit

// recent lists places by when they were used. Its zero value is empty. It is
// a ring whose head is no place of any key.
type recent struct{ head place }

// touch puts p, a new one or not, at the end of the most recent use.
func (l *recent) touch(p *place) {
	if l.head.next == nil {
		l.head.next, l.head.prev = &l.head, &l.head
	}
	if p.next != nil {
		l.remove(p)
	}
	last := l.head.prev
	p.prev, p.next = last, &l.head
	last.next, l.head.prev = p, p
}

func (l *recent) remove(p *place) {
	p.prev.next, p.next.prev = p.next, p.prev
	p.prev, p.next = nil, nil
}

// oldest returns the place that was not used for longest. There must be one.
func (l *recent) oldest() *place { return l.head.next }
