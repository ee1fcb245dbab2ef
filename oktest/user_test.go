package oktest_test

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// person is a user with a browser.
type person struct {
	t      *testing.T
	client *http.Client
}

// newPerson returns a browser that stops where a redirect leaves OK.
func newPerson(t *testing.T, rt http.RoundTripper) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &person{t, &http.Client{Transport: rt, Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/dk" || r.URL.Path == "/oauth/authorize" {
			return nil
		}
		return http.ErrUseLastResponse
	}}}
}

// screen is what the browser shows.
type screen struct {
	address *url.URL // of the page, or where a redirect out of OK leads
	status  int
	header  http.Header
	text    string
	forms   []form
}

type form struct {
	method, action string
	fields         url.Values // without buttons
	buttons        []string   // names
}

func (p *person) open(address string) screen {
	p.t.Helper()
	return p.show(p.client.Get(address))
}

func (p *person) show(resp *http.Response, err error) screen {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	s := screen{address: resp.Request.URL, status: resp.StatusCode, header: resp.Header, text: string(text)}
	if location, err := resp.Location(); err == nil {
		s.address = location
	}
	s.forms = findForms(p.t, s.text)
	return s
}

// findForms parses a page. The parser of XML in its lenient mode is strict
// enough to find that a page is not well formed.
func findForms(t *testing.T, page string) (forms []form) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		token, err := d.Token()
		if err == io.EOF {
			return forms
		}
		if err != nil {
			t.Fatalf("%v in %s", err, page)
		}
		n, ok := token.(xml.StartElement)
		switch {
		case !ok:
		case n.Name.Local == "form":
			forms = append(forms, form{strings.ToUpper(attr(n, "method")), attr(n, "action"), url.Values{}, nil})
		case len(forms) == 0:
		case n.Name.Local == "button" || n.Name.Local == "input" && attr(n, "type") == "submit":
			f := &forms[len(forms)-1]
			f.buttons = append(f.buttons, attr(n, "name"))
		case n.Name.Local == "input":
			forms[len(forms)-1].fields.Set(attr(n, "name"), attr(n, "value"))
		}
	}
}

func attr(n xml.StartElement, name string) string {
	for _, a := range n.Attr {
		if strings.EqualFold(a.Name.Local, name) {
			return a.Value
		}
	}
	return ""
}

// submit fills in the only form of a page; a button is pushed by its name.
func (p *person) submit(s screen, pairs ...string) screen {
	p.t.Helper()
	if len(s.forms) != 1 || s.forms[0].method != "POST" {
		p.t.Fatalf("no form to fill in at %s: %s", s.address, s.text)
	}
	f := s.forms[0]
	for i := 0; i < len(pairs); i += 2 {
		f.fields.Set(pairs[i], pairs[i+1])
	}
	to, err := s.address.Parse(f.action)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.show(p.client.PostForm(to.String(), f.fields))
}

func (s screen) cmd() string { return s.address.Query().Get("st.cmd") }
