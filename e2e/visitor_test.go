//go:build e2e || browser

package e2e_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// banner stands on every page of every party.
const banner = "MÔI TRƯỜNG THỬ NGHIỆM — KHÔNG NHẬP THÔNG TIN THẬT"

// visitor is a person with a browser that knows no script: it keeps cookies, follows redirects, reads forms, and sends
// the headers by which servers tell a click on their own page from a foreign one.
type visitor struct {
	t         *testing.T
	w         *world
	jar       http.CookieJar
	http      *http.Client
	at        *page
	filled    map[*element]string
	Languages string

	// simple is a browser of a test suite (HtmlUnit): it says nothing of where a request comes from and knows no SameSite.
	simple bool
	waits  bool // stays on a page that would go on by itself

	// stop says which addresses are not fetched, as those of a relying party that does not exist.
	stop func(*url.URL) bool
}

func (w *world) visitor(t *testing.T) *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{t: t, w: w, Languages: "vi"}
	v.stop = func(u *url.URL) bool {
		return u.Path == "/callback" && (w.Portal == "" || !strings.HasPrefix(u.String(), w.Portal))
	}
	v.useJar(jar)
	return v
}

func (v *visitor) useJar(jar http.CookieJar) {
	v.jar = jar
	v.http = &http.Client{Jar: jar, Transport: v.w.http.Transport, Timeout: v.w.http.Timeout, CheckRedirect: v.w.http.CheckRedirect}
}

// tab is another tab of the same browser.
func (v *visitor) tab() *visitor {
	tab := *v
	tab.at, tab.filled = nil, nil
	return &tab
}

// stopAtPortal keeps the portal's callback from being fetched, so that a story can look at the answer itself.
func (v *visitor) stopAtPortal() *visitor {
	v.stop = func(u *url.URL) bool { return u.Path == "/callback" }
	return v
}

// Open types an address.
func (v *visitor) Open(address string) *page {
	v.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.navigate("GET", u, nil, nil)
}

// Reload opens the present address again.
func (v *visitor) Reload() *page {
	v.t.Helper()
	return v.Open(v.at.URL.String())
}

// Fill types into the field with an id.
func (v *visitor) Fill(id, value string) {
	v.t.Helper()
	e := v.at.ByID(id)
	if e == nil {
		v.t.Fatalf("no field #%s on %s", id, v.describe())
	}
	v.filled[e] = value
}

// Tick checks the box whose label contains a text.
func (v *visitor) Tick(text string) {
	v.t.Helper()
	for _, e := range v.at.elements {
		if e.attrs["type"] == "checkbox" && strings.Contains(e.label, text) {
			v.filled[e] = "on"
			return
		}
	}
	v.t.Fatalf("no box labelled %q on %s", text, v.describe())
}

// Click follows the link or presses the button with a text.
func (v *visitor) Click(text string) *page {
	v.t.Helper()
	e := v.at.Control(text)
	if e == nil {
		v.t.Fatalf("no link or button %q on %s", text, v.describe())
	}
	return v.Press(e)
}

// Press follows a link or sends the form of a button.
func (v *visitor) Press(e *element) *page {
	v.t.Helper()
	method, target, form := v.request(e)
	return v.navigate(method, target, form, v.at.URL)
}

// request is what pressing a control would send.
func (v *visitor) request(e *element) (method string, target *url.URL, form url.Values) {
	v.t.Helper()
	if e == nil {
		v.t.Fatalf("the control to press is not on %s", v.describe())
	}
	from := v.at.URL
	resolve := func(ref string) *url.URL {
		u, err := from.Parse(ref)
		if err != nil {
			v.t.Fatalf("%q on %s: %v", ref, from, err)
		}
		return u
	}
	if e.tag == "a" {
		return "GET", resolve(e.attrs["href"]), nil
	}
	action, method := e.form.attrs["action"], e.form.attrs["method"]
	if e.has("formaction") {
		action = e.attrs["formaction"]
	}
	if e.has("formmethod") {
		method = e.attrs["formmethod"]
	}
	target, form = resolve(action), v.at.fields(e.form, v.filled, e)
	if strings.EqualFold(method, "post") {
		return "POST", target, form
	}
	target.RawQuery = form.Encode()
	return "GET", target, nil
}

// describe shows the present page for a failure.
func (v *visitor) describe() string {
	if v.at == nil {
		return "no page"
	}
	text := v.at.Text()
	if len(text) > 1500 {
		text = text[:1500] + "…"
	}
	return v.at.URL.String() + " (" + http.StatusText(v.at.Status) + "): " + text
}

func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

// fetchSite is what a browser puts into Sec-Fetch-Site. Ports do not make a site.
func fetchSite(from, to *url.URL) string {
	switch {
	case from == nil:
		return "none"
	case origin(from) == origin(to):
		return "same-origin"
	case from.Scheme == to.Scheme && from.Hostname() == to.Hostname():
		return "same-site"
	}
	return "cross-site"
}

// navigate goes to an address as a browser does, follows redirects, and leaves the visitor on the page it ends on.
func (v *visitor) navigate(method string, target *url.URL, form url.Values, from *url.URL) *page {
	v.t.Helper()
	return v.navigateRaw(method, target, strings.NewReader(form.Encode()), from)
}

func (v *visitor) navigateRaw(method string, target *url.URL, body io.Reader, from *url.URL) *page {
	v.t.Helper()
	site := fetchSite(from, target)
	for range 20 {
		if v.stop(target) {
			v.at = &page{URL: target, Landed: true}
			v.rememberSecrets(target)
			return v.at
		}
		req, err := http.NewRequest(method, target.String(), nil)
		if err != nil {
			v.t.Fatal(err)
		}
		client := v.http
		if v.simple {
			site = ""
		}
		if method == "POST" {
			req.Body = io.NopCloser(body)
			if r, ok := body.(*strings.Reader); ok {
				req.ContentLength = r.Size()
			}
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if from != nil && !v.simple {
				req.Header.Set("Origin", origin(from))
			}
			if site == "cross-site" {
				// A browser sends no Lax cookies along with a form of another site, but keeps those it is given.
				bare := *v.http
				bare.Jar = onlyStores{v.jar}
				client = &bare
			}
		}
		req.Header.Set("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
		req.Header.Set("Accept-Language", v.Languages)
		if !v.simple {
			req.Header.Set("Sec-Fetch-Site", site)
			req.Header.Set("Sec-Fetch-Mode", "navigate")
			req.Header.Set("Sec-Fetch-Dest", "document")
		}
		res, err := client.Do(req)
		if err != nil {
			v.t.Fatalf("%s %s: %v", method, target, err)
		}
		raw, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
		res.Body.Close()
		if err != nil {
			v.t.Fatalf("%s %s: %v", method, target, err)
		}
		if location := res.Header.Get("Location"); res.StatusCode/100 == 3 && location != "" {
			if res.StatusCode >= 307 && method == "POST" {
				v.t.Errorf("POST %s answered %d: the next server would get the form (RFC 9700 §4.12)", target.Path, res.StatusCode)
			}
			next, err := target.Parse(location)
			if err != nil {
				v.t.Fatalf("%s redirects to %q: %v", target, location, err)
			}
			if s := fetchSite(target, next); site != "none" && (s == "cross-site" || site == "same-origin") {
				site = s // along redirects the worst counts
			}
			method, body, target = "GET", nil, next
			continue
		}
		v.at = &page{Status: res.StatusCode, Header: res.Header, URL: target, Body: string(raw), elements: readElements(string(raw))}
		v.filled = map[*element]string{}
		v.checkPage()
		v.loadFrames()
		if next := v.at.refresh(); next != nil && !v.waits {
			from, method, body, target = target, "GET", nil, next
			site = fetchSite(from, target)
			continue
		}
		return v.at
	}
	v.t.Fatalf("more than 20 redirects, the last to %s", target)
	return nil
}

type onlyStores struct{ http.CookieJar }

func (onlyStores) Cookies(*url.URL) []*http.Cookie { return nil }

var refreshNow = regexp.MustCompile(`(?i)^\s*0\s*;\s*url\s*=\s*['"]?([^'"]+)`)

// refresh is where a page sends the browser at once without script, if anywhere.
func (p *page) refresh() *url.URL {
	for _, e := range p.elements {
		if e.tag == "meta" && strings.EqualFold(e.attrs["http-equiv"], "refresh") {
			if m := refreshNow.FindStringSubmatch(e.attrs["content"]); m != nil {
				if u, err := p.URL.Parse(m[1]); err == nil {
					return u
				}
			}
		}
	}
	return nil
}

// loadFrames loads the frames of a page as a browser does: those that its policy allows.
func (v *visitor) loadFrames() {
	v.t.Helper()
	for _, e := range v.at.elements {
		if e.tag != "iframe" {
			continue
		}
		u, err := v.at.URL.Parse(e.attrs["src"])
		if err != nil || !mayFrame(v.at, u) {
			v.t.Errorf("%s has a frame %q that its policy does not allow: %s", v.at.URL.Path, e.attrs["src"], v.at.Header.Get("Content-Security-Policy"))
			continue
		}
		res, err := v.http.Get(u.String())
		if err != nil {
			v.t.Errorf("the frame %s: %v", u, err)
			continue
		}
		res.Body.Close()
	}
}

// mayFrame reports whether a page's policy lets it load a frame.
func mayFrame(p *page, u *url.URL) bool {
	_, sources, _ := strings.Cut(p.Header.Get("Content-Security-Policy"), "frame-src ")
	sources, _, _ = strings.Cut(sources, ";")
	return slices.Contains(strings.Fields(sources), origin(u))
}

// checkPage holds for every page of every party, errors included. Each complaint is made once per address and world.
func (v *visitor) checkPage() {
	v.t.Helper()
	p := v.at
	complain := func(what string) {
		v.t.Helper()
		key := origin(p.URL) + p.URL.Path + what
		v.w.mu.Lock()
		_, again := v.w.flagged[key]
		v.w.flagged[key] = struct{}{}
		v.w.mu.Unlock()
		if !again {
			v.t.Errorf("%s%s (status %d): %s", origin(p.URL), p.URL.Path, p.Status, what)
		}
	}
	if p.Status >= 500 && p.Status != http.StatusBadGateway && p.Status != http.StatusServiceUnavailable { // by these two the portal says that the provider is at fault
		complain("a server error: " + p.Text())
	}
	if kind := strings.ToLower(p.Header.Get("Content-Type")); kind != "text/html; charset=utf-8" {
		complain("its content type is " + kind)
		return
	}
	if !strings.Contains(p.Text(), banner) {
		complain("the banner is missing")
	}
	if !strings.Contains(p.Header.Get("X-Robots-Tag"), "noindex") {
		complain("X-Robots-Tag: noindex is missing")
	}
	if csp := p.Header.Get("Content-Security-Policy"); csp == "" || strings.Contains(csp, "unsafe-") {
		complain("its content security policy is not strict: " + csp)
	}
	if p.Lang() == "" {
		complain("it does not say its language")
	}
	if h := p.First("h1"); h == nil || h.text == "" {
		complain("it has no heading")
	}
	if title := p.First("title"); title == nil || title.text == "" {
		complain("it has no title")
	}
	if inlineScript.MatchString(p.Body) {
		complain("it holds inline script or style")
	}
	if foreign := foreignSource.FindString(p.Body); !strings.HasPrefix(foreign, "<iframe") && foreign != "" && !strings.Contains(foreign, p.URL.Host) {
		complain("it loads something from elsewhere: " + foreign)
	}
}

var (
	inlineScript  = regexp.MustCompile(`(?i)<script(\s+type="[^"]*")?\s*>|\son[a-z]+\s*=\s*["']|\sstyle\s*=\s*["']|<style\b`)
	foreignSource = regexp.MustCompile(`(?i)<(?:script|img|link|iframe|source)\b[^>]*\s(?:src|href)\s*=\s*["']?(?:https?:)?//[^"'\s>]+`)
)

// rememberSecrets keeps what an authorization response carries out of the logs of this world.
func (v *visitor) rememberSecrets(u *url.URL) {
	v.w.secret("an authorization code", u.Query().Get("code"))
}
