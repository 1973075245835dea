package exam

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// signedOut signs in, ends the session at the provider, and waits for what the
// relying party answers to the logout token.
func (e *examiner) signedOut(ctx context.Context, c *chosen, f *Finding) (ev *evidence, status int, err error) {
	b := e.newBrowser()
	ev = e.signIn(ctx, b)
	if ev.err != nil || !ev.needle {
		return nil, 0, fmt.Errorf("the sign-in before the logout failed: %v", ev.err)
	}
	if c != nil {
		if err := e.arm(ctx, *c); err != nil {
			return nil, 0, err
		}
	}
	var sessions []struct {
		SID string `json:"sid"`
	}
	if err := e.api.get(ctx, "/sessions?cccd="+url.QueryEscape(e.Persona), &sessions); err != nil {
		return nil, 0, err
	}
	if len(sessions) == 0 {
		return nil, 0, fmt.Errorf("the provider has no session of %s", maskCCCD(e.Persona))
	}
	// The newest first: that of this very sign-in.
	if err := e.api.send(ctx, http.MethodDelete, "/sessions/"+url.PathEscape(sessions[0].SID), map[string]any{}, nil); err != nil {
		return nil, 0, err
	}
	ev.record, err = e.record(ctx, ev.login, func(r *record) bool { return r.count("logout_notice") > 0 })
	if err != nil {
		return nil, 0, err
	}
	for _, s := range ev.record.Steps {
		if s.Kind == "logout_notice" && status == 0 {
			status = s.Status
			for _, check := range s.Checks {
				ev.struck = ev.struck || check.Name == "fault"
			}
		}
	}
	e.ask(ctx, b, ev)
	f.Login = ev.login
	f.Evidence = append(f.Evidence, fmt.Sprintf("the portal answered the logout token with %d", status), fmt.Sprintf("who-am-I afterwards: status %d, %q, needle %v", ev.whoami, clip(ev.whoamiTitle, 80), ev.needle))
	return ev, status, nil
}

// hearsLogouts says whether the client is told of logouts at all.
func (e *examiner) hearsLogouts(ctx context.Context) (bool, error) {
	var client struct {
		URI string `json:"backchannel_logout_uri"`
	}
	err := e.api.get(ctx, "/clients/"+url.PathEscape(e.ClientID), &client)
	return client.URI != "", err
}

// examineLogout tries a fault of the logout token.
func (e *examiner) examineLogout(ctx context.Context, c chosen, f Finding) Finding {
	if c.fault.ID == "G12" {
		return f.inconclusive("đăng xuất qua khung (iframe) bắt đầu từ một cổng khác: hãy thử tay với hai cổng", "a front-channel logout begins with another portal's sign-out: try by hand with two")
	}
	hears, err := e.hearsLogouts(ctx)
	if err != nil {
		return f.broken(err)
	}
	if !hears {
		return f.inconclusive("cổng không đăng ký backchannel_logout_uri", "the portal registered no backchannel_logout_uri")
	}
	ev, status, err := e.signedOut(ctx, &c, &f)
	e.disarm(ctx)
	if err != nil {
		return f.broken(err)
	}
	if !ev.struck {
		return f.inconclusive("logout token không tới cổng trong 5 giây", "no logout token reached the portal within 5 seconds")
	}
	if status == 0 {
		return f.inconclusive("cổng không trả lời logout token", "the portal gave the logout token no answer")
	}
	var vi, en []string
	for _, s := range c.fault.Signals {
		switch {
		case s == "logout_status" && (status == http.StatusOK || status == http.StatusNoContent):
			vi, en = append(vi, "cổng nhận logout token sai"), append(en, fmt.Sprintf("it takes the wrong logout token (%d)", status))
		case s == "keeps_session" && !ev.needle:
			vi, en = append(vi, "phiên bị kết thúc bởi một token sai"), append(en, "the session ended by a wrong token")
		case s == "logged_out" && ev.needle:
			vi, en = append(vi, "phiên vẫn còn"), append(en, "the session is still there")
		}
	}
	if len(vi) > 0 {
		f.against(strings.Join(vi, "; "), strings.Join(en, "; "))
		return f
	}
	if c.fault.has("logout_status") && status != http.StatusBadRequest { // Back-Channel Logout §2.8
		f.set(Warn, fmt.Sprintf("cổng từ chối nhưng trả %d thay cho 400", status), fmt.Sprintf("it refuses, but by %d, not 400", status))
		return f
	}
	f.set(Pass, fmt.Sprintf("Cổng trả %d.", status), fmt.Sprintf("The portal answers %d.", status))
	return f
}

// playLogout is a right logout token: the session must end.
func (e *examiner) playLogout(ctx context.Context, f *Finding) {
	hears, err := e.hearsLogouts(ctx)
	if err == nil && !hears {
		*f = f.inconclusive("cổng không đăng ký backchannel_logout_uri", "the portal registered no backchannel_logout_uri")
		return
	}
	if err != nil {
		*f = f.broken(err)
		return
	}
	ev, status, err := e.signedOut(ctx, nil, f)
	switch {
	case err != nil:
		*f = f.broken(err)
	case status == 0:
		*f = f.inconclusive("cổng không trả lời trong 5 giây", "the portal did not answer within 5 seconds")
	case ev.needle:
		f.against("phiên ở cổng vẫn còn sau logout token đúng", "the portal's session is still there after a right logout token")
	default:
		f.set(Pass, "Phiên ở cổng đã kết thúc.", "The portal's session has ended.")
	}
}
