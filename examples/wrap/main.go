// Wrap gives an existing client the OK.ru API. The client has a cookie jar, a
// timeout and a transport of its own, and a function written for plain
// net/http uses it; all of that keeps working.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

func main() {
	fake := oktest.NewServer(oktest.App{Key: "CBAWRAPKEY", Secret: "wrap application secret"})
	defer fake.Close()
	shop := httptest.NewServer(http.HandlerFunc(visits))
	defer shop.Close()

	// What the program had before: a client for its own shop.
	jar, err := cookiejar.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	counter := &counting{next: byHost{fake.Transport()}}
	existing := &http.Client{Jar: jar, Timeout: 10 * time.Second, Transport: counter}

	// One line makes calls of the API work with it.
	token := fake.NewUser("bob", "password").Token()
	client, err := okru.Wrap(existing, okru.Config{
		ApplicationKey:    "CBAWRAPKEY",
		ApplicationSecret: "wrap application secret",
		TokenSource:       oauth.Static(token.AccessToken, oauth.SessionSecret(token)),
	})
	if err != nil {
		log.Fatal(err)
	}

	for range 2 {
		fmt.Println("shop:", fetch(client, shop.URL))
	}
	fmt.Println("OK:  ", fetch(client, "https://api.ok.ru/fb.do?method=users.getLoggedInUser"))
	u, err := url.Parse(shop.URL)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("cookies kept: %d, timeout: %v, requests through the old transport: %d\n", len(client.Jar.Cookies(u)), client.Timeout, counter.n)
}

// fetch knows nothing of OK.
func fetch(client *http.Client, address string) any {
	resp, err := client.Get(address)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	var answer any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		log.Fatal(err)
	}
	return answer
}

// visits counts a visitor's visits in a cookie.
func visits(w http.ResponseWriter, r *http.Request) {
	visit := "first visit"
	if _, err := r.Cookie("seen"); err == nil {
		visit = "welcome back"
	}
	http.SetCookie(w, &http.Cookie{Name: "seen", Value: "yes"})
	_ = json.NewEncoder(w).Encode(visit)
}

// counting is the program's own transport.
type counting struct {
	next http.RoundTripper
	n    int
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n++
	return c.next.RoundTrip(r)
}

// byHost stands for the network: the API's host is the fake, all others are
// themselves.
type byHost struct{ fake http.RoundTripper }

func (b byHost) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == "api.ok.ru" {
		return b.fake.RoundTrip(r)
	}
	return http.DefaultTransport.RoundTrip(r)
}
