package exam

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// browser keeps cookies and follows redirects, and remembers where it went. It
// is one without script, unless it has a Chromium for the relying party's pages
// (script.go).
type browser struct {
	http   *http.Client
	jar    *jars
	hops   []hop
	at     string // where it stands
	script *script
}

// hop is a request that the browser made.
type hop struct {
	method, url string
	status      int
	setCookies  []*http.Cookie
}

// page is where it ended.
type page struct {
	url    string
	status int
	header http.Header
	body   string
	to     string // a redirect that was not followed
	err    error
}

const (
	mostHops = 25
	mostPage = 4 << 20
	// patience is how long a person waits for a page.
	patience = 45 * time.Second
)

func newJar() http.CookieJar {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // only with options
	}
	return jar
}

// newBrowser is a browser that the relying party has never seen. The provider
// knows whoever sits there since the control: signing in anew each time would
// soon be more than a phone may do in a minute.
func (e *examiner) newBrowser() *browser {
	jar := &jars{portal: newJar(), provider: e.provider, isProvider: func(u *url.URL) bool {
		return e.issuer != "" && strings.HasPrefix(u.Scheme+"://"+u.Host+u.Path, e.issuer+"/")
	}}
	b := &browser{jar: jar, http: &http.Client{Transport: e.api.transport, Timeout: patience, Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if e.chromium != nil {
		b.script = &script{chromium: e.chromium}
		jar.portal = b.script
	}
	return b
}

// beside is another window of the same browser.
func (b *browser) beside() *browser {
	other := *b
	if b.script != nil {
		other.script = &script{chromium: b.script.chromium, beside: b.script}
	}
	return &other
}

// jars keep the provider's cookies apart from those of the relying party, which
// may have the same host name.
type jars struct {
	portal, provider http.CookieJar
	isProvider       func(*url.URL) bool
}

// forgetProvider lets the provider see a browser it does not know.
func (b *browser) forgetProvider(jar http.CookieJar) { b.jar.provider = jar }

func (b *browser) isProvider(address string) bool {
	u, err := url.Parse(address)
	return err == nil && b.jar.isProvider(u)
}

func (j *jars) of(u *url.URL) http.CookieJar {
	if j.isProvider(u) {
		return j.provider
	}
	return j.portal
}

func (j *jars) Cookies(u *url.URL) []*http.Cookie          { return j.of(u).Cookies(u) }
func (j *jars) SetCookies(u *url.URL, list []*http.Cookie) { j.of(u).SetCookies(u, list) }

func (b *browser) cookieNames(address string) (names []string) {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	for _, c := range b.jar.Cookies(u) {
		names = append(names, c.Name)
	}
	return names
}

// setBy are the cookies that a host set, with their flags.
func (b *browser) setBy(of *url.URL) (list []*http.Cookie) {
	if b.script != nil { // those that scripts asked for, too
		return b.script.Cookies(of)
	}
	for _, hop := range b.hops {
		if u, err := url.Parse(hop.url); err == nil && u.Host == of.Host {
			list = append(list, hop.setCookies...)
		}
	}
	return list
}

// open goes to an address and follows redirects.
func (b *browser) open(ctx context.Context, method, address string, form url.Values) page {
	return b.openUntil(ctx, method, address, form, nil)
}

// openUntil stops before a redirect to an address that stop knows.
func (b *browser) openUntil(ctx context.Context, method, address string, form url.Values, stop func(address string) bool) page {
	for range mostHops {
		p := b.visit(ctx, method, address, form, stop)
		b.at = p.url
		if p.err != nil || p.to == "" {
			return p
		}
		if stop != nil && stop(p.to) {
			return p
		}
		if p.status != http.StatusTemporaryRedirect && p.status != http.StatusPermanentRedirect {
			method, form = http.MethodGet, nil
		}
		address = p.to
	}
	return page{url: address, err: fmt.Errorf("more than %d redirects", mostHops)}
}

// visit goes to an address, as far as one request does, or as far as scripts do.
func (b *browser) visit(ctx context.Context, method, address string, form url.Values, stop func(string) bool) page {
	if b.script == nil || b.isProvider(address) {
		return b.request(ctx, method, address, form)
	}
	return b.byScript(ctx, method, address, form, stop)
}

func (b *browser) request(ctx context.Context, method, address string, form url.Values) (p page) {
	p.url = address
	body := ""
	if form != nil {
		body = form.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		p.err = err
		return p
	}
	req.Header.Set("User-Agent", "vneid-sandbox-exam")
	req.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	req.Header.Set("Accept-Language", "vi,en;q=0.8")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := b.http.Do(req)
	if err != nil {
		p.err = err
		if of, ok := errors.AsType[*url.Error](err); ok {
			p.err = of.Err // without the address, which may hold a code
		}
		return p
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, mostPage))
	p.status, p.header, p.body, p.err = resp.StatusCode, resp.Header, string(raw), err
	b.hops = append(b.hops, hop{method, address, resp.StatusCode, resp.Cookies()})
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		to, err := req.URL.Parse(resp.Header.Get("Location"))
		if err != nil {
			p.err = fmt.Errorf("a redirect to nowhere: %w", err)
			return p
		}
		p.to = to.String()
	}
	return p
}

// bare is an address without what it carries: codes and states are for nobody
// who reads a report.
func bare(address string) string {
	at, _, _ := strings.Cut(address, "?")
	at, _, _ = strings.Cut(at, "#")
	return at
}

var (
	hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	formAction  = regexp.MustCompile(`<form [^>]*method="post"[^>]*action="([^"]*)"`)
	heading     = regexp.MustCompile(`(?s)<h1[^>]*>(.*?)</h1>`)
	title       = regexp.MustCompile(`(?s)<title[^>]*>(.*?)</title>`)
	markup      = regexp.MustCompile(`<[^>]*>`)
	shortCode   = regexp.MustCompile(`<code id="qr-code"[^>]*>([^<]*)</code>`)
	matching    = regexp.MustCompile(`<strong class="qr-digits">(\d+)</strong>`)
)

// heading is what a page is called.
func (p page) heading() string {
	for _, pattern := range []*regexp.Regexp{heading, title} {
		if m := pattern.FindStringSubmatch(p.body); m != nil {
			return strings.Join(strings.Fields(html.UnescapeString(markup.ReplaceAllString(m[1], ""))), " ")
		}
	}
	return ""
}

// form is the first form of a page of the provider: where it goes, and its
// hidden fields.
func (p page) form() (action string, fields url.Values) {
	m := formAction.FindStringSubmatch(p.body)
	if m == nil {
		return "", nil
	}
	u, err := url.Parse(p.url)
	if err != nil {
		return "", nil
	}
	to, err := u.Parse(html.UnescapeString(m[1]))
	if err != nil {
		return "", nil
	}
	fields = url.Values{}
	_, rest, _ := strings.Cut(p.body, m[0])
	rest, _, _ = strings.Cut(rest, "</form>")
	for _, f := range hiddenField.FindAllStringSubmatch(rest, -1) {
		fields.Add(html.UnescapeString(f[1]), html.UnescapeString(f[2]))
	}
	return to.String(), fields
}
