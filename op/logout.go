package op

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/op/keyring"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Telling clients that a session ended, OIDC Back-Channel Logout. What is to be
// told waits in the store (vneid.LogoutNotice), so that neither a client that
// is away nor a crash loses it; this file only carries it.

const (
	logoutTimeout     = 5 * time.Second // for the whole answer of a client
	logoutTokenLife   = 2 * time.Minute
	logoutsAtOnce     = 8
	logoutsLookAgain  = 5 * time.Second // another process may have died, or the clock moved
	logoutEvent       = "http://schemas.openid.net/event/backchannel-logout"
	mostLogoutAnswers = 4 << 10 // bytes of an answer that we read
)

// RunLogouts sends what waits in any world until ctx ends. It looks when a
// session ended, when a try is due, and now and then. find knows the worlds.
func (p *Provider) RunLogouts(ctx context.Context, find func(ctx context.Context, id string) (*vneid.World, error)) {
	wake := make(chan struct{}, 1)
	stop := p.service.Store.Watch(func(_, what string) {
		if what == vneid.LogoutsWaiting {
			select {
			case wake <- struct{}{}:
			default:
			}
		}
	})
	defer stop()
	for {
		wait := p.sendAllLogouts(ctx, find)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// sendAllLogouts sends what is due in each world, and says how long nothing
// else is.
func (p *Provider) sendAllLogouts(ctx context.Context, find func(ctx context.Context, id string) (*vneid.World, error)) time.Duration {
	ids, err := p.service.Store.LogoutWorlds(ctx)
	if err != nil && ctx.Err() == nil {
		p.logger.ErrorContext(ctx, "find the logout notices", "error", err)
	}
	wait := logoutsLookAgain
	for _, id := range ids {
		w, err := find(ctx, id)
		if err != nil {
			continue // deleted meanwhile, or the store fails and said so
		}
		wait = min(wait, p.sendLogouts(vneid.WithWorld(ctx, w)))
	}
	return wait
}

// sendLogouts sends what is due in a world and says how long nothing else is.
func (p *Provider) sendLogouts(ctx context.Context) time.Duration {
	for {
		list, next, err := p.service.TakeLogouts(ctx, logoutsAtOnce)
		if err != nil {
			if ctx.Err() == nil {
				p.logger.ErrorContext(ctx, "read the logout notices", "error", err)
			}
			return logoutsLookAgain
		}
		done := make(chan struct{}, len(list))
		for _, n := range list {
			go func() {
				p.sendLogout(ctx, n)
				done <- struct{}{}
			}()
		}
		for range list {
			<-done
		}
		if len(list) < logoutsAtOnce {
			if next.IsZero() {
				return logoutsLookAgain
			}
			return min(logoutsLookAgain, max(50*time.Millisecond, next.Sub(vneid.WorldFrom(ctx).Clock.Now())))
		}
	}
}

// sendLogout tries one notice and records what became of it.
func (p *Provider) sendLogout(ctx context.Context, n vneid.LogoutNotice) {
	client, err := p.service.LogoutClient(ctx, n.ClientID)
	heard := err == nil && client == nil // nobody wants to hear it any more
	if client != nil {
		err = p.tellLogout(ctx, client, n)
		heard = err == nil
	}
	if ctx.Err() != nil {
		return // the lease runs out, and the next process tries
	}
	gaveUp, settleErr := p.service.SettleLogout(ctx, n, heard)
	result := "sent"
	switch {
	case gaveUp:
		result = "gave_up"
	case !heard:
		result = "failed"
	}
	p.metrics.GetOrCreateCounter(`vneid_backchannel_logouts_total{result="` + result + `"}`).Inc()
	if err = errors.Join(err, settleErr); err != nil {
		p.logger.WarnContext(ctx, "a client did not take a logout token", "client_id", n.ClientID, "try", n.Tries+1, "gave_up", gaveUp, "hint", err.Error())
		return
	}
	p.logger.InfoContext(ctx, "a client heard that a session ended", slog.String("client_id", n.ClientID), "try", n.Tries+1)
}

// tellLogout tells a client, and its developer how that went.
func (p *Provider) tellLogout(ctx context.Context, c *vneid.Client, n vneid.LogoutNotice) error {
	if p.records == nil {
		_, err := p.postLogout(ctx, c, n)
		return err
	}
	trail := p.records.Begin(vneid.WorldFrom(ctx), "")
	trail.Message(vneid.PartyProvider, vneid.PartyRP, vneid.StepLogoutNotice, http.MethodPost, c.BackchannelLogoutURI)
	trail.Client(n.ClientID)
	trail.Session(n.SessionID)
	status, err := p.postLogout(vneid.WithTrail(ctx, trail), c, n)
	trail.Check("logout_heard", err == nil, "try "+strconv.Itoa(n.Tries+1))
	if err != nil {
		trail.RefuseOAuth("logout_not_heard", err.Error(), "logout.not_heard", c.BackchannelLogoutURI)
	}
	p.records.End(trail, status)
	return err
}

// postLogout returns the status of the client's answer, 0 = there was none.
func (p *Provider) postLogout(ctx context.Context, c *vneid.Client, n vneid.LogoutNotice) (status int, err error) {
	token, err := p.logoutToken(ctx, c, n)
	if err != nil {
		return 0, err
	}
	vneid.TrailFrom(ctx).Param(vneid.InBody, "logout_token", token)
	ctx, cancel := context.WithTimeout(ctx, logoutTimeout)
	defer cancel()
	body := url.Values{"logout_token": {token}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.BackchannelLogoutURI, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := p.outward.Do(req)
	if err != nil {
		var e *url.Error
		if errors.As(err, &e) {
			err = e.Err // without the URL twice
		}
		return 0, fmt.Errorf("POST %s: %w", c.BackchannelLogoutURI, err)
	}
	defer resp.Body.Close()
	io.CopyN(io.Discard, resp.Body, mostLogoutAnswers)
	// §2.8: 200, and 204 of frameworks that turn an empty body into it.
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNoContent {
		return resp.StatusCode, fmt.Errorf("POST %s: the client answered %s", c.BackchannelLogoutURI, resp.Status)
	}
	return resp.StatusCode, nil
}

// logoutToken is signed as the client's ID tokens are. §2.4.
func (p *Provider) logoutToken(ctx context.Context, c *vneid.Client, n vneid.LogoutNotice) (string, error) {
	place, err := p.keys.Enter()
	if err != nil {
		return "", err
	}
	defer place.Leave()
	w := vneid.WorldFrom(ctx)
	now := w.Clock.Now()
	claims := map[string]any{
		"iss": cmp.Or(n.Issuer, w.Issuer), "aud": c.ClientID, "sub": n.Subject, "sid": n.SessionID, "jti": vneid.NewID(p.service.Rand),
		"iat": now.Unix(), "exp": now.Add(logoutTokenLife).Unix(), "events": map[string]any{logoutEvent: struct{}{}}, "sandbox": true,
	}
	token, err := p.keys.Sign(ctx, place, keyring.TypeLogout, c.IDTokenSignedAlg, claims)
	trailJWT(ctx, "logout_token", token, claims)
	return token, err
}

// newOutward is the only client that the provider opens connections with: it
// follows no redirect, uses no proxy, and never reaches a link-local address
// (the metadata services of clouds), whatever a name resolves to.
func newOutward(transport *http.Transport) *http.Client {
	dialer := &net.Dialer{Timeout: logoutTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || at.Addr().Unmap().IsLinkLocalUnicast() {
			return fmt.Errorf("connections to %s are refused", address)
		}
		return nil
	}}
	transport.DialContext = dialer.DialContext
	transport.Proxy = nil
	transport.MaxResponseHeaderBytes = 16 << 10
	return &http.Client{Transport: transport, Timeout: logoutTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}
