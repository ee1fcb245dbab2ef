package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/transport"
)

func (a *app) proxyCommand() *cobra.Command {
	var p proxy
	cmd := &cobra.Command{
		Use:   "proxy [-- COMMAND [ARGUMENT]...]",
		Short: "Sign the calls of programs in any language",
		Long: `Proxy listens on this machine, signs the calls it gets, and sends them to OK. A
program calls it like the API, by GET or POST of /fb.do, /api/GROUP/NAME or
/graph/…, but without application_key, session and sig. Reads are repeated after
failures that pass, and a session that expires is renewed, as okru call does.
API errors are in the response, as OK sends them.

Every program on this machine can use the proxy and act as the user, programs of
other users too: run it where you trust them, and end it after use. It listens on
a loopback address only, rejects requests with the name of another host, which a
web page could have rebound to this one, and all requests of browsers.

With a COMMAND, proxy runs it with OKRU_PROXY_URL in its environment and without
the credentials, and ends when it does.`,
		Example: `  okru proxy --listen 127.0.0.1:8080
  curl 'http://127.0.0.1:8080/api/users/getCurrentUser?fields=name'
  okru proxy -- python3 program.py`,
		RunE: func(cmd *cobra.Command, command []string) error { return p.run(cmd.Context(), a, command) },
	}
	cmd.Flags().StringVar(&p.listen, "listen", "127.0.0.1:0", "the `address` to listen at, on this machine")
	return cmd
}

// A proxy is how okru proxy runs.
type proxy struct{ listen string }

func (p proxy) run(ctx context.Context, a *app, command []string) error {
	handler, err := a.proxyHandler()
	if err != nil {
		return err
	}
	listener, err := listenLoopback(ctx, p.listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	env := []string{"OKRU_PROXY_URL=http://" + listener.Addr().String()}
	if len(command) == 0 {
		fmt.Fprintf(a.stdout, "# A proxy that signs calls. Ctrl+C ends it.\nexport %s\n", env[0])
	}
	return a.serveCommand(ctx, command, withoutCredentials(os.Environ()), env, map[net.Listener]http.Handler{
		listener: ownHost(listener, noBrowsers(handler)),
	})
}

// withoutCredentials returns an environment without what the proxy adds to
// calls.
func withoutCredentials(environ []string) []string {
	var rest []string
	for _, line := range environ {
		switch name, _, _ := strings.Cut(line, "="); name {
		case "OKRU_APPLICATION_SECRET", "OKRU_ACCESS_TOKEN", "OKRU_SESSION_SECRET_KEY", "OKRU_GROUP_TOKEN":
		default:
			rest = append(rest, line)
		}
	}
	return rest
}

// noBrowsers rejects requests of browsers: any page could send them. Browsers
// add Origin to all POSTs, and Sec-Fetch headers to whatever they send.
func noBrowsers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest"} {
			if r.Header.Get(name) != "" {
				writeError(w, http.StatusForbidden, "the proxy is not for browsers")
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// proxyHandler returns the proxy without its guards.
func (a *app) proxyHandler() (http.Handler, error) {
	s, err := a.settings()
	if err != nil {
		return nil, err
	}
	session, err := s.session(a)
	if err != nil {
		return nil, err
	}
	cfg, err := s.config(a, session)
	if err != nil {
		return nil, err
	}
	cfg.PassErrors = true
	stack, err := okru.NewTransport(cfg)
	if err != nil {
		return nil, usage("%w", err)
	}
	target, err := url.Parse(s.endpoint())
	if err != nil {
		return nil, err
	}
	return callsOnly(s.groupToken != "", &httputil.ReverseProxy{
		Transport: stack,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(target)
			p.Out.URL.RawQuery = p.In.URL.RawQuery // without it, parameters that cannot be read would be missing
			// Cookies and tokens of the program are not for OK.
			p.Out.Header = http.Header{"Accept": {"application/json"}, "Content-Type": p.In.Header["Content-Type"]}
		},
		ModifyResponse: func(resp *http.Response) error {
			resp.Header.Del("Set-Cookie")
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) { writeProxyError(w, err) },
	}), nil
}

// maxForm is how long a form may be. The form is read, since the circuit depends
// on the method in it.
const maxForm = 1 << 20

// callsOnly passes on calls of the API, and nothing else. Those of the Graph API
// need the token of a group.
func callsOnly(hasGroup bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := r.URL.Path
		isGraph := strings.HasPrefix(p, "/graph/")
		switch {
		case p != path.Clean(p), p != "/fb.do" && !strings.HasPrefix(p, "/api/") && !isGraph:
			writeError(w, http.StatusNotFound, "there is nothing but /fb.do, /api/GROUP/NAME and /graph/…")
			return
		case isGraph && !hasGroup:
			writeError(w, http.StatusBadRequest, "set OKRU_GROUP_TOKEN for calls of the Graph API, and start the proxy again")
			return
		case r.Header.Get("Content-Encoding") != "":
			writeError(w, http.StatusUnsupportedMediaType, "a compressed body cannot be signed")
			return
		}
		if err := readForm(w, r); err != nil {
			writeError(w, http.StatusRequestEntityTooLarge, err.Error())
			return
		}
		if needOf(transport.Method(r)) == "prohibited" {
			r = r.WithContext(transport.WithCircuit(r.Context(), transport.Sessionless))
		}
		next.ServeHTTP(w, r)
	})
}

// readForm reads the body of r if it is a form, so that it can be read again.
func readForm(w http.ResponseWriter, r *http.Request) error {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "application/x-www-form-urlencoded" {
		return nil
	}
	form, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		return err
	}
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(form)), nil }
	r.Body, _ = r.GetBody()
	r.ContentLength = int64(len(form))
	return nil
}

// writeProxyError reports a failure: one of the request if it was rejected
// before it was sent, else one of the service. The text has no secret.
func writeProxyError(w http.ResponseWriter, err error) {
	status := http.StatusBadGateway
	if t, ok := errors.AsType[interface {
		error
		Terminal() bool
	}](err); ok && t.Terminal() {
		status = http.StatusBadRequest
	}
	writeError(w, status, strings.TrimPrefix(err.Error(), "okru: "))
}
