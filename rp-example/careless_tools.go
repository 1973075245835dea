//go:build careless

package main

// What several mistakes have in common: reading and changing what goes to the
// provider and comes from it, adopting a sign-in, taking an account over.

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// leaveBy changes the authorization request on its way out.
func (c *changes) leaveBy(p *portal) {
	c.after = slices.Insert(c.after, 0, func(r *http.Request, d *draft) {
		m := p.op.known.Load()
		u, err := url.Parse(d.header.Get("Location"))
		if m == nil || err != nil || !strings.HasPrefix(u.String(), m.oauth.Endpoint.AuthURL) || u.Query().Get("response_type") == "" {
			return
		}
		q := u.Query()
		for _, change := range c.leaving {
			change(r, q)
		}
		u.RawQuery = q.Encode()
		d.header.Set("Location", u.String())
	})
}

// traffic is what one sign-in's calls to the provider said.
type traffic struct {
	access   string
	idSub    any  // of the ID token, believed as it stands
	signed   bool // there was an ID token
	userinfo map[string]any
}

type trafficKey struct{}

// middleman sits between the portal and the provider.
type middleman struct {
	next http.RoundTripper
	p    *portal
	c    *changes
}

func (t *middleman) RoundTrip(r *http.Request) (*http.Response, error) {
	seen, _ := r.Context().Value(trafficKey{}).(*traffic)
	if seen == nil {
		seen = &traffic{}
	}
	m := t.p.op.known.Load()
	there := r.URL.Scheme + "://" + r.URL.Host + r.URL.Path
	switch {
	case m != nil && there == m.oauth.Endpoint.TokenURL:
		if r.Body != nil {
			b, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			form, err := url.ParseQuery(string(b))
			if err != nil {
				return nil, err
			}
			for _, change := range t.c.calls {
				change(r, form)
			}
			r = r.Clone(r.Context())
			setBody(r, form.Encode())
		}
		return t.change(r, func(o map[string]any) {
			seen.access, _ = o["access_token"].(string)
			raw, _ := o["id_token"].(string)
			seen.signed = raw != ""
			seen.idSub = payloadOf(raw)["sub"]
			for _, change := range t.c.answers {
				change(seen, o)
			}
		})
	case m != nil && there == m.op.UserInfoEndpoint():
		return t.change(r, func(o map[string]any) {
			for _, change := range t.c.userinfo {
				change(seen, o)
			}
			seen.userinfo = o
		})
	case strings.HasSuffix(there, "/.well-known/openid-configuration"):
		return t.change(r, func(o map[string]any) {
			for _, change := range t.c.metadata {
				change(o)
			}
		})
	}
	return t.next.RoundTrip(r)
}

func setBody(r *http.Request, s string) {
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(s)), int64(len(s))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(s)), nil }
}

// change lets a JSON object through altered, anything else as it is.
func (t *middleman) change(r *http.Request, alter func(map[string]any)) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	b, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var o map[string]any
	if d.Decode(&o) == nil && o != nil {
		alter(o)
		if altered, err := json.Marshal(o); err == nil {
			b = altered
		}
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	resp.Header.Del("Content-Length")
	return resp, nil
}

// payloadOf decodes the middle of a JWT, as careless code does: no more.
func payloadOf(raw string) map[string]any { return jwtPart(raw, 1) }

func jwtPart(raw string, n int) map[string]any {
	part := strings.Split(raw, ".")
	if len(part) <= n {
		return nil
	}
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(part[n], "="))
	if err != nil {
		return nil
	}
	var o map[string]any
	if json.Unmarshal(b, &o) != nil {
		return nil
	}
	return o
}

// trafficOf runs a redeeming and tells what was said meanwhile.
func (p *portal) trafficAround(change func(ctx context.Context, t *traffic, next func() (*signedInPerson, error)) (*signedInPerson, error)) {
	redeem := p.redeem
	p.redeem = func(ctx context.Context, m *metadata, code string, a attempt) (*signedInPerson, error) {
		t, _ := ctx.Value(trafficKey{}).(*traffic)
		return change(ctx, t, func() (*signedInPerson, error) { return redeem(ctx, m, code, a) })
	}
}

// arriving wraps what happens when a person comes back.
func (p *portal) arriving(change func(v *visit, in arrival, next func() (arrived, error)) (arrived, error)) {
	arrive := p.arrive
	p.arrive = func(v *visit, in arrival) (arrived, error) {
		return change(v, in, func() (arrived, error) { return arrive(v, in) })
	}
}

// adopt makes this browser the owner of a sign-in, whoever began it: the state
// of the request is replaced by one of its own that points to the attempt.
func adopt(v *visit, a attempt) error {
	if err := v.p.ensureSession(v); err != nil {
		return err
	}
	a.session = v.session.id
	state := secret()
	if err := v.p.store.addAttempt(v.r.Context(), state, a); err != nil {
		return err
	}
	setQuery(v.r, "state", state)
	return nil
}

func setQuery(r *http.Request, name, value string) {
	q := r.URL.Query()
	q.Set(name, value)
	r.URL.RawQuery = q.Encode()
}

// anyAttempt: the one that the state names, else this browser's newest, else
// one that asks for nothing.
func anyAttempt(v *visit) (attempt, error) {
	ctx, s := v.r.Context(), v.p.store
	a, found, err := s.attempt(ctx, v.r.URL.Query().Get("state"))
	if err != nil || found && !a.used {
		return a, err
	}
	a = attempt{issuer: v.p.cfg.Issuer, wanted: "/", purpose: forSignIn, maxAge: -1}
	if v.session == nil {
		return a, nil
	}
	err = s.db.QueryRowContext(ctx, "SELECT issuer, nonce, verifier, wanted, purpose, acr, max_age FROM attempts WHERE session_id = ? AND used_ms IS NULL ORDER BY started_ms DESC, rowid DESC LIMIT 1", v.session.id).
		Scan(&a.issuer, &a.nonce, &a.verifier, &a.wanted, &a.purpose, &a.acr, &a.maxAge)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return a, err
}

// takeOver gives the account that has an attribute to whoever arrives with it
// under a pair nobody has seen yet.
func (p *portal) takeOver(column string, value func(person) string) {
	p.arriving(func(v *visit, in arrival, next func() (arrived, error)) (arrived, error) {
		key, iss, sub := value(in.proved.Who), in.proved.Iss, in.proved.Sub
		if key == "" {
			return next()
		}
		err := p.store.tx(v.r.Context(), func(tx *sql.Tx) error {
			ctx := v.r.Context()
			known, err := pair(ctx, tx, iss, sub)
			if err != nil || known != nil {
				return err
			}
			var oldIss, oldSub string
			err = tx.QueryRowContext(ctx, "SELECT iss, sub FROM identities WHERE "+column+" = ? ORDER BY number_ms LIMIT 1", key).Scan(&oldIss, &oldSub)
			if errors.Is(err, sql.ErrNoRows) {
				return nil
			}
			if err != nil {
				return err
			}
			for _, q := range []string{
				"UPDATE identities SET iss = ?, sub = ?, name = '', birthdate = '', cccd = '' WHERE iss = ? AND sub = ?",
				"UPDATE sessions SET iss = ?, sub = ? WHERE iss = ? AND sub = ?",
			} {
				if _, err := tx.ExecContext(ctx, q, iss, sub, oldIss, oldSub); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return arrived{}, err
		}
		return next()
	})
}

// mergeInto joins an old account to whoever has just arrived, unasked.
func (p *portal) mergeInto(v *visit, cookie, username, iss, sub string) error {
	return p.store.tx(v.r.Context(), func(tx *sql.Tx) error {
		ctx := v.r.Context()
		o, err := oldAccountOf(ctx, tx, username)
		if err != nil || o == nil || o.linkedMS > 0 {
			return err
		}
		i, err := pair(ctx, tx, iss, sub)
		if err != nil || i == nil {
			return err
		}
		return p.store.merge(ctx, tx, &session{id: hashed(cookie)}, o, i)
	})
}

// asksEveryTime: no discovery document is kept, each sign-in fetches its own.
func (c *changes) asksEveryTime(p *portal) {
	c.wrap("/login/vneid", func(do func(*visit) error) func(*visit) error {
		return func(v *visit) error {
			if m := p.op.known.Load(); m != nil {
				old := *m
				old.at = time.Time{}
				p.op.known.CompareAndSwap(m, &old)
			}
			return do(v)
		}
	})
}
