package fault

import (
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Outward stands between the provider and the relying parties that it sends
// logout tokens to. The world is in the context of each request.
func (e *Engine) Outward(next http.RoundTripper) http.RoundTripper {
	return &outward{e, next}
}

type outward struct {
	engine *Engine
	next   http.RoundTripper
}

func (o *outward) RoundTrip(r *http.Request) (*http.Response, error) {
	b := o.engine.board(vneid.WorldFrom(r.Context()).ID)
	if b == nil || r.Method != http.MethodPost || r.Body == nil {
		return o.next.RoundTrip(r)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, mostBody))
	r.Body.Close()
	if err != nil {
		return nil, err
	}
	altered, more, err := o.engine.alterLogout(r, b, string(body))
	if err != nil {
		return nil, err
	}
	send := func() (*http.Response, error) {
		again := r.Clone(r.Context())
		again.Body, again.ContentLength = io.NopCloser(strings.NewReader(altered)), int64(len(altered))
		again.GetBody = nil
		return o.next.RoundTrip(again)
	}
	for range more {
		resp, err := send()
		if err != nil {
			return nil, err
		}
		_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // so that the connection is used again
		resp.Body.Close()
	}
	return send()
}

func (e *Engine) alterLogout(r *http.Request, b *board, body string) (altered string, more int, err error) {
	form, err := url.ParseQuery(body)
	if err != nil {
		return body, 0, nil // not ours
	}
	token := form.Get("logout_token")
	t, err := e.parseJWT(token)
	if err != nil {
		return body, 0, nil
	}
	x := &Exchange{Kind: Logout, Request: r, Form: form, ClientID: t.Claims.String("aud"), engine: e}
	for _, s := range b.candidates(x) {
		h := s.fault.hooks.logout
		if h == nil || !b.draw(s, x) {
			continue
		}
		x.at, x.Variant, x.Armed, x.silent = s, s.variant(), s.Armed, false
		if h(x, t); !x.silent {
			vneid.TrailFrom(r.Context()).Check("fault", false, s.title())
		}
	}
	if !t.touched() {
		return body, x.Repeat, nil
	}
	text, err := t.compact(r.Context())
	if err != nil {
		return "", 0, err
	}
	form.Set("logout_token", text)
	return form.Encode(), x.Repeat, nil
}
