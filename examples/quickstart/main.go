// Quickstart makes signed calls of the OK.ru API through plain net/http, one
// on each circuit, and shows what comes back.
//
// Without settings it runs against a fake of the service inside the program.
// With OKRU_APPLICATION_KEY and OKRU_ACCESS_TOKEN in the environment it calls
// the real one. Of OKRU_APPLICATION_SECRET and OKRU_SESSION_SECRET_KEY one is
// enough; circuits whose secret is not set are left out. With the flag -log it
// logs each call by okru.Config.Logger.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

func main() {
	verbose := flag.Bool("log", false, "log each call to standard error")
	flag.Parse()
	if err := run(*verbose); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", explain(err))
		os.Exit(1)
	}
}

func run(verbose bool) error {
	cfg, where, stop, err := settings()
	if err != nil {
		return err
	}
	defer stop()
	if verbose {
		cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	client, err := okru.NewClient(cfg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	fmt.Println("calling", where)
	if err := callEachCircuit(ctx, client, cfg); err != nil {
		return err
	}
	if err := showFriends(ctx, client); err != nil {
		return err
	}
	return showError(ctx, client)
}

// callEachCircuit makes one plain request on each circuit.
func callEachCircuit(ctx context.Context, client *http.Client, cfg okru.Config) error {
	table := newTable("CIRCUIT", "CALL", "STATUS", "RESPONSE")
	token, err := cfg.TokenSource.Token()
	if err != nil {
		return err
	}
	for _, c := range []struct {
		circuit transport.Circuit
		method  string
		skip    bool
	}{
		{transport.ServerServer, "users.getCurrentUser", cfg.ApplicationSecret == ""},
		{transport.ClientServer, "users.getCurrentUser", oauth.SessionSecret(token) == ""},
		{transport.Sessionless, "group.getInfo", cfg.ApplicationSecret == ""},
		{transport.Unsigned, "group.getInfo", os.Getenv("OKRU_APPLICATION_KEY") != ""}, // the real service wants a signature
	} {
		if c.skip {
			continue
		}
		if err := callOnce(ctx, client, table, c.circuit, c.method); err != nil {
			return err
		}
	}
	return table.Flush()
}

func callOnce(ctx context.Context, client *http.Client, table *tabwriter.Writer, circuit transport.Circuit, method string) error {
	address := "https://api.ok.ru/fb.do?method=" + method
	if method == "group.getInfo" {
		address += "&uids=" + group + "&fields=uid,name"
	}
	r, err := http.NewRequestWithContext(transport.WithCircuit(ctx, circuit), http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(r)
	if e, ok := errors.AsType[*okerrors.Error](err); ok {
		fmt.Fprintf(table, "%v\t%s\t%d\t%v\n", circuit, method, e.Status, e.Code)
		return nil
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var head [60]byte
	n, _ := resp.Body.Read(head[:])
	fmt.Fprintf(table, "%v\t%s\t%d\t%s\n", circuit, method, resp.StatusCode, strings.ToValidUTF8(string(head[:n]), "")+"…")
	return nil
}

type user struct {
	ID       string `json:"uid"`
	Name     string `json:"name"`
	Location struct {
		City string `json:"city"`
	} `json:"location"`
}

// showFriends makes two calls by okru.Call, which decodes the responses.
func showFriends(ctx context.Context, client *http.Client) error {
	ids, err := okru.Call[[]string](ctx, client, "friends.get", nil)
	if err != nil || len(ids) == 0 {
		return err
	}
	friends, err := okru.Call[[]user](ctx, client, "users.getInfo", url.Values{
		"uids":   {strings.Join(ids[:min(len(ids), 100)], ",")}, // no more than 100 at once
		"fields": {"uid,name,location"},
	})
	if err != nil {
		return err
	}
	table := newTable("FRIEND", "NAME", "CITY")
	defer table.Flush()
	for _, f := range friends {
		fmt.Fprintf(table, "%s\t%s\t%s\n", f.ID, f.Name, f.Location.City)
	}
	return nil
}

// showError makes a call that fails and shows what the error contains.
func showError(ctx context.Context, client *http.Client) error {
	_, err := okru.Call[any](ctx, client, "users.getNothing", nil)
	e, ok := errors.AsType[*okerrors.Error](err)
	if !ok {
		return err
	}
	table := newTable("ERROR OF", "CODE", "BAD INPUT?", "MESSAGE")
	defer table.Flush()
	fmt.Fprintf(table, "%s\t%d\t%t\t%s\n", e.Method, int(e.Code), errors.Is(err, okerrors.ErrInvalid), e.Message)
	return nil
}

func newTable(columns ...string) *tabwriter.Writer {
	fmt.Println()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(columns, "\t"))
	return w
}

// explain returns a line about what went wrong and what to do.
func explain(err error) string {
	switch e, ok := errors.AsType[*okerrors.Error](err); {
	case ok && errors.Is(err, okerrors.ErrSession):
		return fmt.Sprintf("the session was rejected; check OKRU_ACCESS_TOKEN: %v", e)
	case ok && e.Code == okerrors.CodeParamSignature:
		return fmt.Sprintf("the signature was rejected; check OKRU_APPLICATION_SECRET and OKRU_SESSION_SECRET_KEY: %v", e)
	case ok && e.Code == okerrors.CodeParamAPIKey:
		return fmt.Sprintf("the application was rejected; check OKRU_APPLICATION_KEY: %v", e)
	case ok:
		return e.Error()
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Sprintf("the service cannot be reached; check the network: %v", e)
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Sprintf("the service cannot be reached; check the network: %v", e)
	}
	return err.Error()
}
