package exam

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/vneid-sandbox/vneid-sandbox/exam/chromium"
)

// script is a browser's window of Chromium. It shows the relying party's pages
// and nothing else: where they lead to the provider it stops, and the exam goes
// on over HTTP, since there are no scripts there to run and the provider's
// cookies are kept from sign-in to sign-in.
type script struct {
	chromium *chromium.Browser
	beside   *script       // another window of the same browser
	window   *chromium.Tab // once something was to be opened
}

func (s *script) open() (*chromium.Tab, error) {
	if s.window != nil {
		return s.window, nil
	}
	var beside *chromium.Tab
	var err error
	if s.beside != nil {
		if beside, err = s.beside.open(); err != nil {
			return nil, err
		}
	}
	s.window, err = s.chromium.NewTab(beside)
	return s.window, err
}

// Cookies of the relying party.
func (s *script) Cookies(u *url.URL) []*http.Cookie {
	w, err := s.open()
	if err != nil {
		return nil
	}
	return w.Cookies(u)
}

// SetCookies plants some.
func (s *script) SetCookies(u *url.URL, list []*http.Cookie) {
	if w, err := s.open(); err == nil {
		w.SetCookies(u, list)
	}
}

// byScript opens a page of the relying party and lets it lead on, at most to the
// provider.
func (b *browser) byScript(ctx context.Context, method, address string, form url.Values, stop func(string) bool) page {
	window, err := b.script.open()
	if err != nil {
		return page{url: address, err: err}
	}
	r := chromium.Request{URL: address, Form: form,
		Stop: func(to string) bool { return b.isProvider(to) || stop != nil && stop(to) },
		Seen: func(h chromium.Hop) {
			b.hops = append(b.hops, hop{h.Method, h.URL, h.Status, (&http.Response{Header: h.Header}).Cookies()})
		}}
	if method == http.MethodPost && form == nil {
		r.Form = url.Values{}
	}
	if b.isProvider(b.at) {
		r.From = b.at
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p, err := window.Open(ctx, r)
	return page{url: cmp.Or(p.URL, address), status: p.Status, header: p.Header, body: p.Body, to: p.To, err: err}
}

func (e *examiner) startChromium(ctx context.Context) (err error) {
	if !e.Browser {
		return nil
	}
	keys, err := e.portalKeys(ctx)
	if err == nil {
		e.chromium, err = chromium.Start(context.WithoutCancel(ctx), e.Chromium, keys)
	}
	return err
}

// portalKeys are those that the relying party proves to have by certificates of
// the authorities which we were told to trust.
func (e *examiner) portalKeys(ctx context.Context) (keys [][]byte, err error) {
	for _, address := range []string{e.LoginURL, e.WhoamiURL, e.LogoutURL} {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "https" || len(e.CA) == 0 {
			continue
		}
		d := tls.Dialer{Config: e.api.transport.TLSClientConfig.Clone()}
		conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "443")))
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %v", ErrControl, u.Host, err)
		}
		keys = append(keys, conn.(*tls.Conn).ConnectionState().PeerCertificates[0].RawSubjectPublicKeyInfo)
		conn.Close()
	}
	return keys, nil
}

func (e *examiner) stopChromium() {
	if e.chromium != nil {
		e.chromium.Close()
	}
}

// closeWindows ends the browsers of a fault.
func (e *examiner) closeWindows() {
	if e.chromium != nil {
		e.chromium.CloseTabs()
	}
}
