package vneid

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
)

// LogoutNotice tells a client that a session ended (OIDC Back-Channel Logout).
// It waits in the store until the client has heard it: one for each client and
// session.
type LogoutNotice struct {
	ClientID  string
	SessionID string // sid
	Subject   string // as this client knows the person
	Issuer    string // as this client knows the provider
	CreatedAt time.Time
	DueAt     time.Time // of the next try; a process that tries moves it on first
	Tries     int
}

// logoutPauses are the waits after each failed try. The last failure is final:
// a client that was away for so long asks for a new sign-in anyway.
var logoutPauses = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour}

// logoutLease is how long a process that took a notice may try it before
// another one may.
const logoutLease = 30 * time.Second

// LogoutsWaiting is what Watch is told when notices were added.
const LogoutsWaiting = "logouts"

// heardOf is a client that got tokens in a session that ended.
type heardOf struct {
	SessionClient
	client *Client
	sid    string
}

// noticeLogout queues the notices of a session that ends, and returns who was
// in it.
func noticeLogout(tx Tx, session *Session, now time.Time) (in []heardOf, err error) {
	heard, err := tx.ClientsOfSession(session.ID)
	if err != nil {
		return nil, err
	}
	queued := false
	for _, c := range heard {
		client, err := tx.Client(c.ClientID)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		in = append(in, heardOf{c, client, session.ID})
		if client.BackchannelLogoutURI == "" {
			continue
		}
		n := &LogoutNotice{ClientID: c.ClientID, SessionID: session.ID, Subject: c.Subject, Issuer: c.Issuer, CreatedAt: now, DueAt: now}
		if err := tx.PutLogoutNotice(n); err != nil {
			return nil, err
		}
		queued = true
	}
	if queued {
		err = tx.Wake(LogoutsWaiting)
	}
	return in, err
}

// SessionClient is a client that got tokens in a session.
type SessionClient struct {
	ClientID string
	Subject  string
	Issuer   string // under which the sign-in began
}

// TakeLogouts claims notices that are due: they are this process's to try for
// as long as its lease lasts. It also says when the next one is due, zero when
// none waits.
func (s *Service) TakeLogouts(ctx context.Context, limit int) (list []LogoutNotice, next time.Time, err error) {
	w := WorldFrom(ctx)
	now := w.Clock.Now()
	err = s.Store.Update(ctx, w.ID, func(tx Tx) error {
		list = nil
		waiting, err := tx.LogoutNotices(limit + 1) // the earliest first
		if err != nil {
			return err
		}
		next = time.Time{}
		for i := range waiting {
			n := &waiting[i]
			if n.DueAt.After(now) || len(list) == limit {
				next = n.DueAt
				break
			}
			list = append(list, *n)
			n.DueAt = now.Add(logoutLease)
			if err := tx.PutLogoutNotice(n); err != nil {
				return err
			}
		}
		return nil
	})
	return list, next, err
}

// SettleLogout records what became of a try. gaveUp: it was the last one.
func (s *Service) SettleLogout(ctx context.Context, n LogoutNotice, heard bool) (gaveUp bool, err error) {
	w := WorldFrom(ctx)
	now := w.Clock.Now()
	err = s.Store.Update(ctx, w.ID, func(tx Tx) error {
		gaveUp = false
		if heard {
			return tx.DeleteLogoutNotice(n.ClientID, n.SessionID)
		}
		if n.Tries >= len(logoutPauses) {
			gaveUp = true
			return tx.DeleteLogoutNotice(n.ClientID, n.SessionID)
		}
		again := n
		again.DueAt, again.Tries = now.Add(logoutPauses[n.Tries]), n.Tries+1
		return tx.PutLogoutNotice(&again)
	})
	return gaveUp, err
}

// LogoutClient is the client of a notice as it is registered now; nil when it
// is gone, or wants to hear nothing any more.
func (s *Service) LogoutClient(ctx context.Context, id string) (c *Client, err error) {
	err = s.Store.View(ctx, WorldFrom(ctx).ID, func(tx Tx) error {
		c, err = tx.Client(id)
		return err
	})
	if errors.Is(err, ErrNotFound) || err == nil && c.BackchannelLogoutURI == "" {
		return nil, nil
	}
	return c, err
}

// checkBackchannel says what is wrong with a client's back-channel metadata.
func (m *ClientMetadata) checkBackchannel(bad map[string]string, allowHosts []string) {
	if m.BackchannelLogoutURI == "" {
		if m.BackchannelLogoutSessionRequired {
			bad["backchannel_logout_session_required"] = "needs a backchannel_logout_uri"
		}
		return
	}
	if msg := CheckURI(m.BackchannelLogoutURI, allowHosts); msg != "" {
		bad["backchannel_logout_uri"] = msg
	}
}

// mostLogoutFrames bounds what one page loads of others.
const mostLogoutFrames = 32

// logoutFrames are the front-channel logout addresses of who got tokens in
// sessions that ended. OIDC Front-Channel Logout §2: the registered query
// stays, and iss and sid say which session of which provider it is.
func logoutFrames(w *World, in []heardOf) (frames []string) {
	for _, h := range in {
		uri := h.client.FrontchannelLogoutURI
		if uri == "" {
			continue
		}
		separator := "?"
		if strings.Contains(uri, "?") {
			separator = "&"
		}
		frame := uri + separator + url.Values{"iss": {cmp.Or(h.Issuer, w.Issuer)}, "sid": {h.sid}}.Encode()
		if !slices.Contains(frames, frame) && len(frames) < mostLogoutFrames {
			frames = append(frames, frame)
		}
	}
	return frames
}

// checkFrontchannel says what is wrong with a client's front-channel metadata.
func (m *ClientMetadata) checkFrontchannel(bad map[string]string, allowHosts []string) {
	if m.FrontchannelLogoutURI == "" {
		if m.FrontchannelLogoutSessionRequired {
			bad["frontchannel_logout_session_required"] = "needs a frontchannel_logout_uri"
		}
		return
	}
	if msg := CheckURI(m.FrontchannelLogoutURI, allowHosts); msg != "" {
		bad["frontchannel_logout_uri"] = msg
		return
	}
	// OIDC Front-Channel Logout §2.
	here, _ := originOf(m.FrontchannelLogoutURI)
	if !slices.ContainsFunc(m.RedirectURIs, func(u string) bool { there, err := originOf(u); return err == nil && there == here }) {
		bad["frontchannel_logout_uri"] = "its scheme, host and port must be those of one of the redirect_uris"
	}
}

// originOf is the scheme, host and port of a URI.
func originOf(uri string) (string, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return "", err
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port, nil
}
