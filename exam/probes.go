package exam

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Probes look at what needs no fault: the relying party's own cookies, pages and
// requests.

// seen is what an authorization request carried that has to be unguessable.
type seen struct{ state, nonce, challenge string }

func probe(id, name, section, grade string, title, what, right Text, spec ...string) Finding {
	return Finding{ID: id, Name: name, Section: section, Grade: grade, Title: title, What: what, Right: right, Spec: spec, Evidence: []string{}}
}

func (e *examiner) probes(ctx context.Context) []Finding {
	b := e.newBrowser()
	b.open(ctx, http.MethodGet, e.WhoamiURL, nil) // whoever is not signed in
	before := e.values(b)
	ev := e.signIn(ctx, b)
	after := e.values(b)
	if !ev.needle {
		e.report.Notes = append(e.report.Notes, Text{"Không xem được cookie và trang: cổng không đăng nhập cho trình duyệt đã từng mở nó.", "Cookies and pages were not looked at: the portal signs nobody in who visited it before."})
		return nil
	}
	for name, v := range after { // one that everybody has, with a value of its own for whoever is signed in
		if before[name] != v && looksLikeSession(name) && !slices.Contains(e.session, name) {
			e.flagged = append(e.flagged, name)
		}
	}
	return []Finding{
		e.probeFixation(ctx, before, after), e.probeFlags(b, ev), e.probeURL(ev), e.probeFrames(ctx, b, ev), e.probeRedirector(ctx), e.probeFrontChannel(ev), e.probePKCE(ev), e.probeLint(ctx),
	}
}

// values are the cookies of the relying party.
func (e *examiner) values(b *browser) map[string]string {
	list := map[string]string{}
	if u, err := url.Parse(e.WhoamiURL); err == nil {
		for _, c := range b.jar.Cookies(u) {
			list[c.Name] = c.Value
		}
	}
	return list
}

// probeFixation lets somebody plant cookies in a browser before its owner signs
// in: the portal's own, and sessions of his invention. Is he signed in too?
func (e *examiner) probeFixation(ctx context.Context, before, after map[string]string) Finding {
	f := probe("G15", "session-fixation-probe", "G", "must", Text{"Cố định phiên", "Session fixation"},
		Text{"Cookie của trình duyệt được cài trước khi đăng nhập; kẻ cài nó thử dùng sau đó.", "Cookies are planted in a browser before its owner signs in; whoever planted them tries them afterwards."},
		Text{"Đổi mã phiên khi đăng nhập; không nhận mã phiên do trình duyệt tự nghĩ ra.", "Give out a new session id at the sign-in; take none that a browser made up."}, "OWASP ASVS 7.2.4")
	var kept []string
	for name, v := range before {
		if after[name] == v && (slices.Contains(e.session, name) || looksLikeSession(name)) {
			kept = append(kept, name)
		}
	}
	if slices.Sort(kept); len(kept) > 0 {
		f.against("cookie phiên không đổi: "+strings.Join(kept, ", "), "the session cookie stays as it was: "+strings.Join(kept, ", "))
		return f
	}
	attacker := e.newBrowser()
	e.ask(ctx, attacker, &evidence{})
	planted := e.values(attacker)
	for _, name := range slices.Concat(e.session, e.flagged) {
		if planted[name] == "" { // in the portal's own form, and nobody's
			r := []rune(after[name])
			slices.Reverse(r)
			planted[name] = string(r)
		}
	}
	victim := e.newBrowser()
	e.plant(victim, planted)
	ev := e.signIn(ctx, victim)
	e.plant(attacker, planted)
	his := &evidence{}
	e.ask(ctx, attacker, his)
	f.Evidence = append(f.Evidence, fmt.Sprintf("the owner: needle %v; whoever planted the cookies: needle %v", ev.needle, his.needle))
	switch {
	case his.needle:
		f.against("kẻ cài cookie trước cũng được đăng nhập", "whoever planted the cookies is signed in too")
	case !ev.needle:
		f = f.inconclusive("với cookie lạ, cổng không đăng nhập cho ai", "with foreign cookies the portal signs nobody in")
	default:
		f.set(Pass, "Mã phiên đổi khi đăng nhập.", "The session id changes at the sign-in.")
	}
	return f
}

// plant puts cookies into a browser.
func (e *examiner) plant(b *browser, cookies map[string]string) {
	u, err := url.Parse(e.WhoamiURL)
	if err != nil {
		return
	}
	for name, v := range cookies {
		b.jar.SetCookies(u, []*http.Cookie{{Name: name, Value: v, Path: "/", Secure: u.Scheme == "https"}})
	}
}

func looksLikeSession(name string) bool {
	n := strings.ToLower(name)
	return strings.Contains(n, "sess") || strings.Contains(n, "sid") || strings.Contains(n, "auth")
}

func (e *examiner) probeFlags(b *browser, ev *evidence) Finding {
	f := probe("G16", "cookie-flags", "G", "must", Text{"Cờ của cookie phiên", "Flags of the session cookie"},
		Text{"Cookie phiên thiếu HttpOnly, SameSite, hoặc Secure khi chạy https.", "The session cookie lacks HttpOnly, SameSite, or over https Secure."},
		Text{"Đặt đủ cờ.", "Set them all."}, "OWASP ASVS 3.3", "RFC 6265bis §8.3")
	u, err := url.Parse(e.WhoamiURL)
	if err != nil {
		return f.broken(err)
	}
	var lacks []string
	for _, c := range b.setBy(u) {
		if c.MaxAge < 0 || c.Value == "" || !slices.Contains(e.session, c.Name) && !slices.Contains(e.flagged, c.Name) {
			continue
		}
		var flags []string
		if !c.HttpOnly {
			flags = append(flags, "HttpOnly")
		}
		if c.SameSite == 0 || c.SameSite == http.SameSiteDefaultMode {
			flags = append(flags, "SameSite")
		}
		if u.Scheme == "https" && !c.Secure {
			flags = append(flags, "Secure")
		}
		if text := c.Name + ": " + strings.Join(flags, ", "); len(flags) > 0 && !slices.Contains(lacks, text) {
			lacks = append(lacks, text)
		}
	}
	switch {
	case len(lacks) > 0:
		f.against("thiếu: "+strings.Join(lacks, "; "), "missing: "+strings.Join(lacks, "; "))
	case len(e.session)+len(e.flagged) == 0:
		f = f.inconclusive("không nhận ra cookie phiên", "no session cookie was recognised")
	default:
		f.set(Pass, "Cookie phiên có đủ cờ.", "The session cookie has its flags.")
	}
	return f
}

func (e *examiner) probeURL(ev *evidence) Finding {
	f := probe("I12", "history-leak", "I", "should", Text{"Code còn trên thanh địa chỉ", "The code stays in the address bar"},
		Text{"Sau khi đăng nhập, địa chỉ trang cuối còn code hoặc token.", "After the sign-in the address of the last page still holds the code or a token."},
		Text{"Chuyển hướng khỏi địa chỉ quay về.", "Redirect away from the callback."}, "RFC 9700 §4.3")
	u, err := url.Parse(ev.last.url)
	if err == nil && (u.Query().Has("code") || u.Query().Has("access_token") || u.Query().Has("id_token")) {
		f.against("địa chỉ trang cuối có code", "the address of the last page holds the code")
	} else {
		f.set(Pass, "Địa chỉ trang cuối sạch.", "The address of the last page is clean.")
	}
	return f
}

func (e *examiner) probeFrames(ctx context.Context, b *browser, ev *evidence) Finding {
	f := probe("I14", "clickjacking", "I", "should", Text{"Trang có thể bị nhúng khung", "Pages that may be framed"},
		Text{"Trang của người đã đăng nhập không cấm bị nhúng vào trang khác.", "Pages of somebody signed in do not forbid framing."},
		Text{"Gửi frame-ancestors (CSP) hoặc X-Frame-Options.", "Send frame-ancestors (CSP) or X-Frame-Options."}, "RFC 9700 §4.16")
	p := b.open(ctx, http.MethodGet, e.WhoamiURL, nil)
	if p.err == nil && (strings.Contains(p.header.Get("Content-Security-Policy"), "frame-ancestors") || p.header.Get("X-Frame-Options") != "") {
		f.set(Pass, "Trang cấm bị nhúng khung.", "The page forbids framing.")
	} else {
		f.against("không có frame-ancestors hay X-Frame-Options", "neither frame-ancestors nor X-Frame-Options")
	}
	return f
}

// probeRedirector tries the names under which portals take a return address.
func (e *examiner) probeRedirector(ctx context.Context) Finding {
	f := probe("I13", "open-redirector", "I", "must", Text{"Chuyển hướng mở", "Open redirector"},
		Text{"Địa chỉ đăng nhập nhận một địa chỉ quay về ở máy khác.", "The login URL takes a return address at another host."},
		Text{"Chỉ nhận đường dẫn nội bộ.", "Take local paths only."}, "RFC 9700 §4.11")
	start, err := url.Parse(e.LoginURL)
	if err != nil {
		return f.broken(err)
	}
	q := start.Query()
	for _, name := range []string{"next", "returnUrl", "return_url", "redirect", "redirect_url", "redirect_uri", "url", "returnTo", "return_to", "continue", "callback", "service"} {
		if !q.Has(name) {
			q.Set(name, "https://rp-canary.test/landed")
		}
	}
	start.RawQuery = q.Encode()
	b := e.newBrowser()
	ev := &evidence{}
	if err := e.drive(ctx, b, how{stop: true, loginURL: start.String()}, ev); err != nil || ev.back == "" {
		return f.inconclusive("đăng nhập với địa chỉ quay về lạ không tới nơi", "a sign-in with a foreign return address did not get through")
	}
	p := b.openUntil(ctx, http.MethodGet, ev.back, nil, func(to string) bool {
		u, err := url.Parse(to)
		return err == nil && u.Hostname() == "rp-canary.test"
	})
	if u, err := url.Parse(p.to); err == nil && u.Hostname() == "rp-canary.test" {
		f.against("cổng chuyển hướng tới máy lạ", "it redirects to the foreign host")
		return f
	}
	f.set(Pass, "Cổng không chuyển hướng ra ngoài.", "It does not redirect elsewhere.")
	return f
}

func (e *examiner) probeFrontChannel(ev *evidence) Finding {
	f := probe("I16", "secret-in-front-channel", "I", "must", Text{"Bí mật trên kênh trước", "A secret in the front channel"},
		Text{"client_secret có trong yêu cầu đăng nhập.", "client_secret is in the authorization request."},
		Text{"client_secret chỉ đi giữa các máy chủ.", "client_secret goes between servers only."}, "RFC 6749 §2.3.1")
	if ev.authorize.Has("client_secret") {
		f.against("yêu cầu đăng nhập có client_secret", "the authorization request has client_secret")
	} else {
		f.set(Pass, "Không có client_secret trên kênh trước.", "No client_secret in the front channel.")
	}
	return f
}

func (e *examiner) probePKCE(ev *evidence) Finding {
	f := probe("I08", "pkce", "I", "should", Text{"PKCE S256", "PKCE with S256"},
		Text{"Yêu cầu đăng nhập không có code_challenge, hoặc không phải S256.", "The authorization request has no code_challenge, or not S256."},
		Text{"PKCE S256 ở mọi lần đăng nhập.", "PKCE with S256 at every sign-in."}, "RFC 9700 §2.1.1", "RFC 7636 §4.2")
	switch {
	case !ev.authorize.Has("code_challenge"):
		f.against("không có code_challenge", "no code_challenge")
	case ev.authorize.Get("code_challenge_method") != "S256" || len(ev.authorize.Get("code_challenge")) != 43:
		f.against("không phải S256", "not S256")
	default:
		f.set(Pass, "PKCE S256.", "PKCE with S256.")
	}
	return f
}

// probeLint takes over what the sandbox's lint calls errors and warnings.
func (e *examiner) probeLint(ctx context.Context) Finding {
	f := probe("LINT", "lint", "I", "should", Text{"Lint của sandbox", "The sandbox's lint"},
		Text{"Những điều lint thấy trong các lần đăng nhập bình thường của bài kiểm tra này.", "What the lint found in the honest sign-ins of this exam."},
		Text{"Xem docs/lint.md.", "See docs/lint.md."}, "docs/lint.md")
	var report struct {
		Score    *int
		Findings []struct {
			ID, Severity string
			Title        Text
		}
	}
	// Sign-ins of this exam only, and before it breaks any: what it does to the
	// portal later looks odd in the records.
	for range 3 {
		e.signIn(ctx, e.newBrowser())
	}
	if err := e.api.get(ctx, "/clients/"+url.PathEscape(e.ClientID)+"/lint?after="+url.QueryEscape(e.report.Control.Login), &report); err != nil {
		return f.broken(err)
	}
	bad := 0
	for _, one := range report.Findings {
		if one.ID == "authorize.loop" || strings.HasPrefix(one.ID, "signout.") {
			continue // that is how the exam's own sign-ins look, one after the other
		}
		f.Evidence = append(f.Evidence, one.Severity+" "+one.ID+": "+one.Title.En)
		if one.Severity != "advice" {
			bad++
		}
	}
	if bad > 0 {
		f.against(fmt.Sprintf("lint thấy %d điều cần sửa", bad), fmt.Sprintf("the lint found %d things to change", bad))
	} else {
		f.set(Pass, "Lint không thấy gì cần sửa.", "The lint found nothing to change.")
	}
	return f
}

// probeReuse looks at the values of all the sign-ins of this exam.
func (e *examiner) probeReuse() Finding {
	f := probe("I15", "nonce-state-reuse", "I", "must", Text{"state, nonce dùng lại hoặc đoán được", "state or nonce used again, or guessable"},
		Text{"Hai lần đăng nhập có cùng state, nonce hoặc code_challenge; hoặc giá trị quá ngắn; hoặc state chứa địa chỉ.", "Two sign-ins have the same state, nonce or code_challenge; or the values are short; or state holds an address."},
		Text{"Giá trị ngẫu nhiên ít nhất 128 bit, mỗi lần một khác.", "Random values of at least 128 bits, new each time."}, "RFC 6749 §10.10", "OIDC Core §15.5.2")
	var vi, en []string
	for _, of := range []struct {
		name string
		get  func(seen) string
	}{{"state", func(s seen) string { return s.state }}, {"nonce", func(s seen) string { return s.nonce }}, {"code_challenge", func(s seen) string { return s.challenge }}} {
		met, again, short, address := map[string]bool{}, false, false, false
		for _, s := range e.report.seen {
			v := of.get(s)
			if v == "" {
				continue
			}
			again, short = again || met[v], short || len(v) < 22
			met[v] = true
			plain, err := base64.StdEncoding.DecodeString(v)
			address = address || strings.Contains(v, "://") || err == nil && strings.Contains(string(plain), "://")
		}
		if again {
			vi, en = append(vi, of.name+" được dùng lại"), append(en, of.name+" is used again")
		}
		if short {
			vi, en = append(vi, of.name+" ngắn hơn 22 ký tự"), append(en, of.name+" has less than 22 characters")
		}
		if address {
			vi, en = append(vi, of.name+" chứa một địa chỉ"), append(en, of.name+" holds an address")
		}
	}
	f.Evidence = append(f.Evidence, fmt.Sprintf("%d authorization requests", len(e.report.seen)))
	if len(vi) > 0 {
		f.against(strings.Join(vi, "; "), strings.Join(en, "; "))
	} else {
		f.set(Pass, "Mỗi lần một giá trị mới.", "A new value each time.")
	}
	return f
}
