// Package doctor looks at a running sandbox from outside, as a relying party
// on this machine would, and as one in a container would, and says what does
// not fit and what to change, in Vietnamese and English.
//
// It speaks HTTP to the provider's listener and to the automation API, and to
// nothing else but to see whether a port is open. It changes nothing, begins
// no sign-in, and sends the token only over a connection that it trusts.
package doctor

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Options say whom to look at.
type Options struct {
	Issuer         string   // as relying parties are configured with it
	SandboxURL     string   // where the automation API is
	CA             []byte   // PEM of authorities to trust besides the system's
	FromContainers []string // names by which containers call the provider, with or without a port
	Token          string   // of the automation API, "" = none
	Env            func(string) string
	Clock          vneid.Clock // of this machine
}

// Level is how much a finding matters.
type Level string

// The levels. Only Wrong makes the whole wrong.
const (
	OK    Level = "ok"
	Note  Level = "note"    // worth knowing
	Doubt Level = "warning" // wrong for some
	Wrong Level = "error"   // somebody cannot sign in
)

// Text is one sentence in both languages.
type Text struct {
	Vi string `json:"vi"`
	En string `json:"en"`
}

func say(vi, en string, args ...any) Text {
	if len(args) == 0 {
		return Text{vi, en}
	}
	return Text{fmt.Sprintf(vi, args...), fmt.Sprintf(en, args...)}
}

// Finding is one thing that was looked at.
type Finding struct {
	Check string `json:"check"`           // issuer, names, tls …
	About string `json:"about,omitempty"` // the address or client it is about
	Level Level  `json:"level"`
	What  Text   `json:"what"`
	Fix   *Text  `json:"fix,omitempty"` // what to change
}

// Failed reports whether something is wrong.
func Failed(list []Finding) bool {
	for _, f := range list {
		if f.Level == Wrong {
			return true
		}
	}
	return false
}

// visit is one look at a sandbox.
type visit struct {
	Options
	issuer   *url.URL
	at       string // address that answers for the issuer
	roots    *x509.CertPool
	http     *http.Client // as a relying party on this machine
	found    []Finding
	metadata metadata
}

// metadata is what a relying party reads in the discovery document.
type metadata struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	Userinfo      string `json:"userinfo_endpoint"`
	JWKS          string `json:"jwks_uri"`
	EndSession    string `json:"end_session_endpoint"`
}

// wait bounds every connection and answer.
const wait = 5 * time.Second

// Run looks at everything there is. tell hears of each finding as it is made.
func Run(ctx context.Context, o Options, tell func(Finding)) []Finding {
	v := &visit{Options: o}
	add := func(f Finding) {
		v.found = append(v.found, f)
		tell(f)
	}
	v.look(ctx, add)
	return v.found
}

// teller takes a finding.
type teller func(Finding)

func (t teller) ok(check, about string, what Text) { t(Finding{check, about, OK, what, nil}) }
func (t teller) note(check, about string, what, fix Text) {
	t(Finding{check, about, Note, what, orNone(fix)})
}
func (t teller) doubt(check, about string, what, fix Text) {
	t(Finding{check, about, Doubt, what, orNone(fix)})
}
func (t teller) wrong(check, about string, what, fix Text) {
	t(Finding{check, about, Wrong, what, orNone(fix)})
}

func orNone(t Text) *Text {
	if t == (Text{}) {
		return nil
	}
	return &t
}

// look goes on as long as the next look can tell anything.
func (v *visit) look(ctx context.Context, tell teller) {
	if !v.readIssuer(tell) || !v.reach(ctx, tell) || !v.trust(ctx, tell) || !v.answers(ctx, tell) {
		return
	}
	v.proxies(tell)
	if v.discover(ctx, tell) {
		v.endpoints(ctx, tell)
		v.keys(ctx, tell)
	}
	if v.sandbox(ctx, tell) {
		v.clock(ctx, tell)
		v.clients(ctx, tell)
	}
	for _, name := range v.FromContainers {
		v.fromContainer(ctx, tell, name)
	}
}

// client is an HTTP client that takes no proxy and follows nothing. dial, when
// there is one, replaces every address.
func (v *visit) client(dial string) *http.Client {
	d := &net.Dialer{Timeout: wait}
	return &http.Client{Timeout: wait,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{TLSClientConfig: tlsConfig(v.roots), DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				if dial != "" {
					address = dial
				}
				return d.DialContext(ctx, network, address)
			}}}
}

// answer is what came back, its body bounded.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func get(ctx context.Context, c *http.Client, address, token string) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := c.Do(req)
	if err != nil {
		return nil, plainError(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	return &answer{resp.StatusCode, resp.Header, body}, err
}

// plainError is an error without the address, which the finding has already.
func plainError(err error) error {
	if e, ok := err.(*url.Error); ok {
		return e.Err
	}
	return err
}

func (a *answer) json(into any) bool {
	return a.status == http.StatusOK && json.Unmarshal(a.body, into) == nil
}

// firstDifference is the number of the first character in which two texts
// differ, counted from one.
func firstDifference(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n + 1
}

func isLoopback(host string) bool {
	h := strings.ToLower(host)
	if h == "localhost" || strings.HasSuffix(h, ".localhost") {
		return true
	}
	ip := net.ParseIP(h)
	return ip != nil && ip.IsLoopback()
}

// portOf is the port of a URL, its scheme's when it names none.
func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

func addressOf(u *url.URL) string { return net.JoinHostPort(u.Hostname(), portOf(u)) }

// open reports whether somebody listens.
func open(ctx context.Context, address string) bool {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}
