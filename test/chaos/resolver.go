package chaos

import (
	"context"
	"errors"
	"net"
)

// errNoServer is why a name server is not reached.
var errNoServer = errors.New("the name server is unreachable")

// resolver is a net.Resolver none of whose servers is there, so that its
// errors are those that package net makes in that case.
var resolver = net.Resolver{
	PreferGo: true,
	Dial:     func(context.Context, string, string) (net.Conn, error) { return nil, errNoServer },
}

// A dialer connects to the proxy whatever the address, if the name of the host
// can be looked up in this weather.
type dialer struct {
	weather *weather
	proxy   *proxy
}

// DialContext is for http.Transport.
func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if d.weather.strikes(noName) {
		host, _, _ := net.SplitHostPort(address)
		_, err := resolver.LookupHost(ctx, host)
		if err == nil {
			err = errNoServer // the file of hosts has it
		}
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	return d.proxy.dial(ctx)
}
