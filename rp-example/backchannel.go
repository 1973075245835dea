package main

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// Back-Channel Logout 1.0: the provider says, from server to server, that a
// session has ended. No cookie takes part; only the signed token counts.

const (
	logoutEvent  = "http://schemas.openid.net/event/backchannel-logout"
	logoutMaxAge = 15 * time.Minute // since iat: time for the provider's retries, not for a collection
)

// backchannelLogout answers 200 when the sessions are gone (or were none), 400
// when the token must not be believed (§2.8). Never cached: the whole portal
// sends no-store.
func (p *portal) backchannelLogout(v *visit) error {
	form, err := v.form()
	if err != nil {
		return p.refuseLogout(v, http.StatusBadRequest, "the body can not be read")
	}
	if len(form["logout_token"]) != 1 || v.r.URL.Query().Has("logout_token") {
		return p.refuseLogout(v, http.StatusBadRequest, "exactly one logout_token belongs in the body")
	}
	m, err := p.op.metadata(v.r.Context())
	if err != nil {
		return p.refuseLogout(v, http.StatusServiceUnavailable, "the provider's keys can not be had")
	}
	t, err := p.op.checkLogoutToken(v.r.Context(), m, form.Get("logout_token"))
	if err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, errKeys) {
			status = http.StatusServiceUnavailable
		}
		return p.refuseLogout(v, status, err.Error())
	}
	ended, again, err := p.store.endFromAfar(v.r.Context(), t)
	switch {
	case err != nil:
		p.log.Error("logout from afar", "err", err)
		return p.refuseLogout(v, http.StatusServiceUnavailable, "try again")
	case again:
		return p.refuseLogout(v, http.StatusBadRequest, "this jti came before")
	}
	p.log.Info("the provider ended sessions", "count", ended, "by_sid", t.SID != "")
	v.w.WriteHeader(http.StatusOK)
	return nil
}

func (p *portal) refuseLogout(v *visit, status int, why string) error {
	p.log.Warn("a logout token was refused", "why", tidy(why, 200))
	v.w.Header().Set("Content-Type", "application/json")
	v.w.WriteHeader(status)
	return json.NewEncoder(v.w).Encode(map[string]string{"error": "invalid_request", "error_description": tidy(why, 120)})
}

// logoutToken is one that was checked.
type logoutToken struct {
	iss, Sub, SID, JTI string
	expires            time.Time
}

var errKeys = errors.New("the provider's keys can not be had")

// checkLogoutToken does what Back-Channel Logout 1.0 §2.6 asks for.
func (o *provider) checkLogoutToken(ctx context.Context, m *metadata, raw string) (*logoutToken, error) {
	// The type keeps an ID token from passing for a logout token, and the other
	// way round (RFC 8725 §3.11).
	if typ := headerType(raw); !strings.EqualFold(strings.TrimPrefix(strings.ToLower(typ), "application/"), "logout+jwt") {
		return nil, fmt.Errorf("typ is %.40q", typ)
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, o.client), callTime)
	defer cancel()
	// Signature by the issuer's keys with an algorithm it lists, never none;
	// iss, aud, exp.
	t, err := m.verifier.Verify(ctx, raw)
	if err != nil {
		if strings.Contains(err.Error(), "fetching keys") {
			return nil, errKeys
		}
		return nil, errors.New(trimmed(err))
	}
	var c struct {
		Sub    string                     `json:"sub"`
		SID    string                     `json:"sid"`
		JTI    string                     `json:"jti"`
		Nonce  *json.RawMessage           `json:"nonce"`
		Events map[string]json.RawMessage `json:"events"`
	}
	if err := t.Claims(&c); err != nil {
		return nil, errors.New("claims have wrong types")
	}
	age := o.now().Sub(t.IssuedAt)
	var event map[string]any
	switch {
	case c.Nonce != nil: // that is an ID token
		return nil, errors.New("a nonce")
	case json.Unmarshal(c.Events[logoutEvent], &event) != nil || event == nil:
		return nil, errors.New("events does not name a logout with an object")
	case c.Sub == "" && c.SID == "":
		return nil, errors.New("neither sub nor sid")
	case len(c.Sub) > 255 || len(c.SID) > 255:
		return nil, errors.New("sub or sid is too long")
	case c.JTI == "" || len(c.JTI) > 255:
		return nil, errors.New("no usable jti")
	case t.IssuedAt.Unix() <= 0:
		return nil, errors.New("no iat")
	case age > logoutMaxAge:
		return nil, errors.New("iat is too long ago")
	case age < -clockSlack:
		return nil, errors.New("iat lies in the future")
	}
	return &logoutToken{iss: t.Issuer, Sub: c.Sub, SID: c.SID, JTI: c.JTI, expires: t.Expiry}, nil
}

func headerType(raw string) string {
	head, _, _ := strings.Cut(raw, ".")
	b, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		return ""
	}
	var h struct {
		Typ string `json:"typ"`
	}
	if json.Unmarshal(b, &h) != nil {
		return ""
	}
	return h.Typ
}

// endFromAfar ends the sessions a token means: the one with its sid, or every
// one of its sub; with both, the session must have both. Sessions of the
// portal's own accounts are nobody else's business.
func (s *store) endFromAfar(ctx context.Context, t *logoutToken) (ended int64, again bool, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		keep := max(t.expires.UnixMilli(), s.now().Add(logoutMaxAge).UnixMilli()) // as long as it could be sent again
		r, err := tx.ExecContext(ctx, "INSERT INTO logout_tokens (jti, expires_ms) VALUES (?, ?) ON CONFLICT DO NOTHING", hashed(t.iss+"\n"+t.JTI), keep)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			again = err == nil
			return err
		}
		// A sign-in that still waits at /who has ended with its session too.
		if _, err := tx.ExecContext(ctx, `DELETE FROM arrivals WHERE json_extract(proof, '$.Iss') = ?1 AND (?2 = '' OR json_extract(proof, '$.SID') = ?2) AND (?3 = '' OR json_extract(proof, '$.Sub') = ?3)`, t.iss, t.SID, t.Sub); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `DELETE FROM sessions WHERE method = 'vneid' AND iss = ?1 AND (?2 = '' OR sid = ?2) AND (?3 = '' OR sub = ?3) RETURNING account_id, sub`, t.iss, t.SID, t.Sub)
		if err != nil {
			return err
		}
		type gone struct{ account, sub string }
		var list []gone
		for rows.Next() {
			var g gone
			if err := rows.Scan(&g.account, &g.sub); err != nil {
				rows.Close()
				return err
			}
			list = append(list, g)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		ended = int64(len(list))
		for _, g := range list {
			why := "by sub"
			if t.SID != "" {
				why = "by sid"
			}
			if err := s.note(ctx, tx, entry{account: g.account, who: pairName(t.iss, g.sub), what: "backchannel.logout", matched: "iss+sub", why: why}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, false, fmt.Errorf("end sessions from afar: %w", err)
	}
	return ended, again, nil
}
