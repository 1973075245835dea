package exam

import (
	"fmt"
	"strings"
	"time"
)

// problem is something that a relying party should not have done.
type problem struct {
	Text
	slight bool // a warning, whatever the grade
}

// judge turns the evidence of one sign-in into a verdict, by the signals of the
// fault.
func (e *examiner) judge(f *Fault, ev *evidence, out *Finding) {
	e.describe(ev, out)
	if !ev.struck {
		*out = out.inconclusive(whyNotStruck(f, ev))
		return
	}
	var found []problem
	say := func(slight bool, vi, en string) { found = append(found, problem{Text{vi, en}, slight}) }
	signedIn, yes := ev.signedIn()
	decided := false
	for _, s := range f.Signals {
		decided = decided || s != "human" && s != "fetch"
		switch s {
		case "no_token_call":
			if n := ev.record.count("token"); n > 0 {
				say(false, "cổng vẫn đổi code lấy token", "it redeemed the code all the same")
			}
		case "no_userinfo_call":
			if n := ev.record.count("userinfo"); n > 0 {
				say(false, "cổng vẫn dùng access token để gọi UserInfo", "it used the access token all the same, for UserInfo")
			}
		case "no_session":
			if yes {
				say(false, "người dùng được đăng nhập", "somebody was signed in: "+signedIn)
			}
		case "session":
			if !ev.needle {
				say(true, "cổng quá chặt: nó từ chối điều chuẩn cho phép", "it is too strict: it refuses what the standard allows")
			}
		case "no_retry":
			e.judgePage(ev, say)
		case "canary":
			judgeCanary(ev, say)
		case "encoded":
			if script := `="javascript:alert(document.domain)`; strings.Contains(ev.last.body, script) || strings.Contains(ev.whoamiBody, script) {
				say(false, "một địa chỉ javascript: đứng trên trang", "an address with javascript: stands on a page")
			}
			if strings.Contains(ev.last.body, `<b id="canary">`) || strings.Contains(ev.whoamiBody, `<b id="canary">`) {
				say(false, "mã HTML của chúng tôi hiện nguyên trên trang", "our markup stands on a page as markup")
			}
		}
	}
	e.conclude(f, ev, found, decided, out)
}

func (e *examiner) conclude(f *Fault, ev *evidence, found []problem, decided bool, out *Finding) {
	session := "không ai được đăng nhập"
	sessionEn := "nobody was signed in (the needle does not stand on the who-am-I page)"
	if how, yes := ev.signedIn(); yes {
		session, sessionEn = "người dùng được đăng nhập", how
	}
	switch {
	case f.Grade == "either":
		out.Verdict = Pass
		out.Reason = Text{"Cả hai cách đều được phép. Cổng này: " + session + ".", "Both are allowed. This one: " + sessionEn + "."}
		return
	case !decided:
		*out = out.inconclusive("chỉ người xem mới phán xét được; đã thấy: "+session, "only a person can judge; seen: "+sessionEn)
		return
	case len(found) == 0:
		out.Verdict = Pass
		out.Reason = Text{"Cổng làm đúng: " + session + ".", "It does what is right: " + sessionEn + "."}
		return
	}
	out.Verdict = Warn
	var vi, en []string
	for _, p := range found {
		vi, en = append(vi, p.Vi), append(en, p.En)
		if !p.slight && f.Grade == "must" {
			out.Verdict = Fail
		}
	}
	out.Reason = Text{strings.Join(vi, "; ") + ".", strings.Join(en, "; ") + "."}
	// What may be left unchecked is no leave to go where the attacker says.
	if f.Skippable != nil && out.Verdict == Fail && len(ev.lured) == 0 {
		out.Verdict = Warn
		out.Reason.Vi += " Chuẩn cho phép: " + f.Skippable.Vi
		out.Reason.En += " The specification lets it: " + f.Skippable.En
	}
}

// longWait is what a person puts up with.
const longWait = 15 * time.Second

// judgePage looks for loops, storms, crashes and hangs.
func (e *examiner) judgePage(ev *evidence, say func(slight bool, vi, en string)) {
	switch again := ev.authorizeHits - 1; {
	case again > 2:
		say(false, fmt.Sprintf("vòng lặp: trình duyệt bị gửi đi đăng nhập %d lần nữa", again), fmt.Sprintf("a loop: the browser was sent to sign in %d times more", again))
	case again > 0:
		say(true, "cổng tự gửi người dùng đi đăng nhập lại, không giải thích", "it sends the person to sign in again by itself, without a word")
	}
	if n := ev.record.count("token"); n > 3 {
		say(false, fmt.Sprintf("bão thử lại: code được gửi %d lần", n), fmt.Sprintf("a storm: the code was sent %d times", n))
	} else if n > 1 {
		say(true, fmt.Sprintf("code được gửi %d lần", n), fmt.Sprintf("the code was sent %d times", n))
	}
	switch {
	case ev.err != nil && ev.status == 0:
		say(false, "không có trang nào hiện ra", "no page came: "+ev.err.Error())
	case ev.status == 500:
		say(true, "trang lỗi 500: người dùng không hiểu chuyện gì", "a page of status 500: nobody learns what happened")
	}
	if ev.took > longWait {
		say(true, fmt.Sprintf("người dùng chờ %d giây", int(ev.took.Seconds())), fmt.Sprintf("the person waited %d seconds", int(ev.took.Seconds())))
	}
}

// describe writes down what was seen, without secrets.
func (e *examiner) describe(ev *evidence, out *Finding) {
	out.Login = ev.login
	note := func(format string, args ...any) { out.Evidence = append(out.Evidence, fmt.Sprintf(format, args...)) }
	if ev.endedAt != "" {
		note("the browser ended at %s, status %d: %s", ev.endedAt, ev.status, clip(ev.last.heading(), 120))
	}
	if ev.record != nil {
		var steps []string
		for _, s := range ev.record.Steps {
			if s.Kind == "token" || s.Kind == "userinfo" || s.Kind == "refresh" || s.Kind == "introspect" {
				steps = append(steps, fmt.Sprintf("%s %d", s.Kind, s.Status))
			}
		}
		note("calls to the provider after the answer: %s", orNone(strings.Join(steps, ", ")))
		for _, s := range ev.record.Steps {
			for _, c := range s.Checks {
				if c.Name == "fault" {
					note("served: %s at %s", c.Detail, s.Kind)
				}
			}
		}
	}
	note("who-am-I: status %d, %q, needle %v", ev.whoami, clip(ev.whoamiTitle, 80), ev.needle)
	if len(ev.cookies) > 0 {
		note("session cookies: %s", strings.Join(ev.cookies, ", "))
	}
	if ev.err != nil {
		note("%s", clip(ev.err.Error(), 300))
	}
}

// whyNotStruck says why a fault never reached the relying party.
func whyNotStruck(f *Fault, ev *evidence) (vi, en string) {
	for _, asked := range f.Asks {
		missing := false
		switch asked {
		case "state", "nonce", "max_age", "acr_values":
			missing = ev.authorize != nil && !ev.authorize.Has(asked)
		case "no nonce":
			missing = ev.authorize != nil && ev.authorize.Has("nonce")
		case "pkce":
			missing = ev.authorize != nil && !ev.authorize.Has("code_challenge")
		case "https":
			missing = !strings.HasPrefix(ev.issuer, "https:")
		default:
			missing = true
		}
		if missing {
			if asked == "no nonce" {
				return "cổng gửi nonce, nên lỗi này không có nghĩa", "the portal sends a nonce, so this one means nothing"
			}
			vi := asked
			if asked == "an address within state" {
				vi = "một địa chỉ trong state"
			}
			return "cổng không dùng " + vi + ", nên lỗi này không có nghĩa", "the portal does not use " + asked + ", so this one means nothing"
		}
	}
	switch f.Seam {
	case "jwks", "discovery":
		return "cổng không tải lại " + f.Seam + " trong lần đăng nhập này (dùng bản lưu)", "the portal did not fetch the " + f.Seam + " document during this sign-in (it has a cached one)"
	}
	if ev.err != nil {
		return "lỗi không tới được cổng: " + ev.err.Error(), "the fault never reached the portal: " + ev.err.Error()
	}
	return "lỗi không tới được cổng", "the fault never reached the portal"
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
