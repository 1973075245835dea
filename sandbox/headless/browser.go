package headless

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
	"strconv"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// browser is one without script: it keeps cookies, follows redirects, posts
// forms, and knows what it shows.
type browser struct {
	http   *http.Client
	issuer string
	back   string // redirect_uri: there it stops

	page   string
	at     string // the path of the page, below the issuer
	status int
	code   string // X-Error-Code: what the page refuses
	led    *led   // it was led back to the client
}

// led is where a login led.
type led struct {
	address string
	form    map[string]string // response_mode=form_post
	params  url.Values        // of the answer, wherever they stand
}

func newBrowser(c *http.Client, issuer string) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // only with options
	}
	return &browser{http: &http.Client{Transport: c.Transport, Timeout: c.Timeout, Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, issuer: issuer}
}

const (
	maxPage      = 1 << 20 // bytes
	maxRedirects = 10
)

// open goes to a page below the issuer: by GET, or with a form by POST.
func (b *browser) open(ctx context.Context, path string, form, query url.Values) error {
	address := b.issuer + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	method, body := http.MethodGet, ""
	if form != nil {
		method, body = http.MethodPost, form.Encode()
	}
	for range maxRedirects {
		to, err := b.request(ctx, method, address, body)
		if err != nil || to == "" {
			return err
		}
		if back, params := b.leadsBack(to); back {
			b.led = &led{address: to, params: params}
			return nil
		}
		if !strings.HasPrefix(to, b.issuer+"/") {
			return fmt.Errorf("headless: a page leads elsewhere: %.200q", to)
		}
		method, address, body = http.MethodGet, to, "" // all redirects are 303
	}
	return errors.New("headless: too many redirects")
}

func (b *browser) request(ctx context.Context, method, address, body string) (to string, err error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("User-Agent", "vneid-sandbox-headless")
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Accept-Language", "en")
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := b.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", &vneid.Error{Code: vneid.CodeUnavailable, MsgKey: "unavailable", Hint: "the provider cannot be reached", Cause: err}
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		return "", &vneid.Error{Code: vneid.CodeUnavailable, MsgKey: "unavailable", Hint: "the provider's page broke off", Cause: err}
	}
	b.page, b.status, b.code = string(raw), resp.StatusCode, resp.Header.Get("X-Error-Code")
	b.at = strings.TrimPrefix(address, b.issuer)
	b.at, _, _ = strings.Cut(b.at, "?")
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		// Not resp.Location: behind a proxy we came by another scheme than the
		// address says.
		location, err := req.URL.Parse(resp.Header.Get("Location"))
		if err != nil {
			return "", err
		}
		return location.String(), nil
	}
	b.posted()
	return "", nil
}

// leadsBack reports whether an address is the client's, with an answer.
func (b *browser) leadsBack(to string) (bool, url.Values) {
	rest, ok := strings.CutPrefix(to, b.back)
	if !ok || rest == "" || !strings.ContainsAny(rest[:1], "?&#") {
		return false, nil
	}
	params, err := url.ParseQuery(rest[1:])
	return err == nil && params.Has("iss"), params
}

var (
	hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	heading     = regexp.MustCompile(`<h1[^>]*>([^<]*)</h1>`)
	shortCode   = regexp.MustCompile(`<code id="qr-code"[^>]*>([^<]*)</code>`)
	matching    = regexp.MustCompile(`<strong class="qr-digits">(\d+)</strong>`)
	technical   = regexp.MustCompile(`<code class="pick">([^<]*)</code></dd></div>\s*</dl>`)
)

// posted recognises response_mode=form_post: a page whose form goes to the
// client.
func (b *browser) posted() {
	_, form, found := strings.Cut(b.page, `<form method="post" action="`+html.EscapeString(b.back)+`" data-autosubmit>`)
	if !found {
		return
	}
	form, _, _ = strings.Cut(form, "</form>")
	b.led = &led{address: b.back, form: map[string]string{}, params: url.Values{}}
	for _, m := range hiddenField.FindAllStringSubmatch(form, -1) {
		name, value := html.UnescapeString(m[1]), html.UnescapeString(m[2])
		b.led.form[name] = value
		b.led.params.Set(name, value)
	}
}

func (b *browser) has(text string) bool { return strings.Contains(b.page, text) }

func (b *browser) first(pattern *regexp.Regexp) string {
	if m := pattern.FindStringSubmatch(b.page); m != nil {
		return html.UnescapeString(m[1])
	}
	return ""
}

func (b *browser) heading() string   { return b.first(heading) }
func (b *browser) shortCode() string { return b.first(shortCode) }
func (b *browser) technical() string { return b.first(technical) }

// digits is the number that the page shows for number matching, 0 = none.
func (b *browser) digits() int {
	n, _ := strconv.Atoi(b.first(matching)) // "" is none
	return n
}
