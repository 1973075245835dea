package linking

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	pageLimit    = 1 << 20
	mostJumps    = 20
	pagePatience = 30 * time.Second
)

// browser is a person's at the relying party: it keeps cookies and sends
// forms. It never opens another address than the relying party's.
type browser struct {
	run    *run
	client *http.Client
	who    *person // who goes on at VNeID when it is led there; nil = nobody
	logins []string
}

// page is where it came to.
type page struct {
	at     *url.URL
	status int
	body   string
	// leaves is the authorization request, when nobody was there to go on.
	leaves *url.URL
}

func (p *page) text() string { return shown(p.body) }

// where is the page in evidence: no query, it may hold a code.
func (p *page) where() string { return fmt.Sprintf("%s → %d", p.at.Path, p.status) }

func (r *run) browser(who *person) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // only with options
	}
	return &browser{run: r, who: who, client: &http.Client{Transport: r.Transport, Jar: jar, Timeout: pagePatience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// open goes to a path of the relying party, or to an address that it gave.
func (b *browser) open(ctx context.Context, address string) (*page, error) {
	return b.send(ctx, http.MethodGet, address, nil)
}

func (b *browser) send(ctx context.Context, method, address string, values url.Values) (*page, error) {
	base, err := url.Parse(b.run.file.Portal + "/")
	if err != nil {
		return nil, err
	}
	at, err := base.Parse(address)
	if err != nil {
		return nil, err
	}
	for range mostJumps {
		if at.Scheme != base.Scheme || at.Host != base.Host {
			return nil, fmt.Errorf("the relying party leads to %s, which is neither itself nor VNeID", at.Host)
		}
		p, next, err := b.once(ctx, method, at, values)
		if err != nil || next == nil {
			return p, err
		}
		if method != http.MethodGet && p.status != http.StatusTemporaryRedirect && p.status != http.StatusPermanentRedirect {
			method, values = http.MethodGet, nil
		}
		at = next
		if !b.run.isAuthorize(at) {
			continue
		}
		if b.who == nil {
			p.leaves = at
			return p, nil
		}
		back, err := b.run.atVNeID(ctx, b.who, at)
		if err != nil {
			return nil, err
		}
		b.logins = append(b.logins, back.Login)
		if at, err = url.Parse(back.Callback); err != nil {
			return nil, err
		}
		if len(back.Form) > 0 {
			method, values = http.MethodPost, url.Values{}
			for name, value := range back.Form {
				values.Set(name, value)
			}
		}
	}
	return nil, errors.New("more than 20 redirects in a row")
}

func (b *browser) once(ctx context.Context, method string, at *url.URL, values url.Values) (*page, *url.URL, error) {
	address, body := *at, ""
	address.Fragment = ""
	if method == http.MethodGet && values != nil {
		address.RawQuery = values.Encode()
	} else {
		body = values.Encode()
	}
	q, err := http.NewRequestWithContext(ctx, method, address.String(), strings.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	if method == http.MethodPost {
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		q.Header.Set("Origin", at.Scheme+"://"+at.Host)
		q.Header.Set("Referer", at.Scheme+"://"+at.Host+at.Path)
	}
	q.Header.Set("Accept", "text/html")
	q.Header.Set("Accept-Language", "vi")
	q.Header.Set("User-Agent", "vneid-sandbox-exam")
	resp, err := b.client.Do(q)
	if failed := (*url.Error)(nil); errors.As(err, &failed) {
		err = fmt.Errorf("%s %s: %w", method, at.Path, failed.Err) // the address may hold a code
	}
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, pageLimit))
	if err != nil {
		return nil, nil, err
	}
	p := &page{at: at, status: resp.StatusCode, body: string(raw)}
	location := resp.Header.Get("Location")
	if resp.StatusCode/100 != 3 || location == "" {
		return p, nil, nil
	}
	next, err := at.Parse(location)
	return p, next, err
}

// take does one step of the file, with the values of an account for the
// placeholders.
func (b *browser) take(ctx context.Context, s *Step, a *account) (*page, error) {
	return b.takeOn(ctx, nil, s, a, nil)
}

// takeOn is take on a page that is open already; changed is sent besides.
func (b *browser) takeOn(ctx context.Context, p *page, s *Step, a *account, changed map[string]string) (*page, error) {
	var err error
	if p == nil || p.at.Path != s.Page {
		if p, err = b.open(ctx, s.Page); err != nil || p.leaves != nil || s.isLink() {
			return p, err
		}
	}
	f := s.find(p)
	if f == nil {
		return p, &noForm{page: p, step: s}
	}
	for name, value := range s.Fields {
		f.values.Set(name, a.fill(value.(string))) // Read lets nothing else pass
	}
	for name, value := range changed {
		f.values.Set(name, value)
	}
	method := http.MethodPost
	if f.method != method {
		method = http.MethodGet
	}
	target, err := p.at.Parse(f.action)
	if err != nil {
		return nil, err
	}
	return b.send(ctx, method, target.String(), f.values)
}

func (s *Step) isLink() bool { return s.Action == "" && len(s.Fields) == 0 }

// find is the form that the step means.
func (s *Step) find(p *page) *form {
	for _, f := range forms(p.body) {
		target, err := p.at.Parse(f.action)
		if err != nil || s.Action != "" && target.Path != s.Action {
			continue
		}
		all := true
		for name := range s.Fields {
			// A control that only some people get (a box to tick, a choice among
			// several accounts) is sent all the same where the address says which form.
			all = all && (f.names[name] || s.Action != "")
		}
		if all {
			return f
		}
	}
	return nil
}

// noForm: the page has not the form that the file names.
type noForm struct {
	page *page
	step *Step
}

func (e *noForm) Error() string {
	names := slices.Sorted(maps.Keys(e.step.Fields))
	return fmt.Sprintf("on %s stands no form of the file (%s)", e.page.where(), strings.TrimSpace(e.step.Action+" "+strings.Join(names, " ")))
}
