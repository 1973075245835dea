package lint

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// How much of something is a habit and no accident.
const (
	fewSignIns   = 3                // before anything is said of what "never" or "every time" happens
	manySignIns  = 5                // the same of signing out, which people forget
	lateCode     = 10 * time.Second // a callback is one request; a code lives for a minute here, and for less elsewhere
	lostCodes    = 2                // one is a browser that was closed
	oftenPerTok  = 5                // userinfo calls with one token
	loopRequests = 5
	loopPause    = 5 * time.Second // nobody types that fast
	sameRequest  = 10 * time.Minute
)

func openidMissing(t *traffic) []Evidence {
	return t.each(func(m message) (string, bool) { return m.sent("scope"), m.hinted("advice.no_openid") }, vneid.StepAuthorize)
}

func (t *traffic) lacking(name string, and func(m message) bool) (list []Evidence) {
	for _, m := range t.authorizations() {
		if m.sent(name) == "" && (and == nil || and(m)) {
			list = append(list, m.evidence(""))
		}
	}
	return list
}

func hasPKCE(m message) bool { return m.sent("code_challenge") != "" }

func stateMissing(t *traffic) []Evidence {
	return t.lacking("state", func(m message) bool { return !hasPKCE(m) })
}
func stateMissingWithPKCE(t *traffic) []Evidence { return t.lacking("state", hasPKCE) }
func pkceMissing(t *traffic) []Evidence          { return t.lacking("code_challenge", nil) }

func nonceMissing(t *traffic) []Evidence {
	return t.lacking("nonce", func(m message) bool { return slices.Contains(strings.Fields(m.sent("scope")), vneid.ScopeOpenID) })
}

func (t *traffic) guessable(name string) []Evidence {
	return t.each(func(m message) (string, bool) {
		value := m.sent(name)
		if _, isAddress := address(value); isAddress { // has a rule of its own
			return "", false
		}
		return masked(value), guessable(value)
	}, vneid.StepAuthorize)
}

func stateShort(t *traffic) []Evidence { return t.guessable("state") }
func nonceShort(t *traffic) []Evidence { return t.guessable("nonce") }

func stateURL(t *traffic) []Evidence {
	return t.each(func(m message) (string, bool) {
		inside, found := address(m.sent("state"))
		scheme, rest, whole := strings.Cut(inside, "://")
		if !whole {
			return masked(inside), found
		}
		return scheme + "://" + rest[:strings.IndexAny(rest+"/", "/?#\"")] + "/…", found // the rest of what was hidden stays so
	}, vneid.StepAuthorize)
}

// reused finds a value that an earlier request had. A browser that opens the
// same address again (back, reload) is none, unless both came to tokens.
func reused(name string) func(*traffic) []Evidence {
	return func(t *traffic) (list []Evidence) {
		first := map[string]message{}
		for _, m := range t.authorizations() {
			value := m.sent(name)
			before, known := first[value]
			switch {
			case value == "" || strings.Contains(value, "(JWT)"): // not kept whole
			case !known:
				first[value] = m
			case m.repeats(before) && (before.rec.Result != vneid.ResultSignedIn || m.rec.Result != vneid.ResultSignedIn):
			default:
				list = append(list, m.evidence(masked(value)))
			}
		}
		return list
	}
}

// repeats reports whether a request is another one to the letter, soon after.
func (m message) repeats(before message) bool {
	if m.step.At.Sub(before.step.At) > sameRequest || m.step.Peer != before.step.Peer || m.step.Agent != before.step.Agent {
		return false
	}
	for _, name := range []string{"state", "nonce", "code_challenge", "redirect_uri", "scope"} {
		if m.sent(name) != before.sent(name) {
			return false
		}
	}
	return true
}

func pkceRefused(t *traffic) []Evidence {
	return t.each(func(m message) (string, bool) {
		return "", m.hinted("pkce.method", "pkce.challenge_missing", "pkce.challenge_malformed", "pkce.verifier_missing", "pkce.verifier_wrong", "pkce.verifier_without_challenge")
	}, vneid.StepAuthorize, vneid.StepToken)
}

func scopeIgnored(t *traffic) []Evidence {
	return t.each(func(m message) (string, bool) {
		return m.sent("scope"), m.hinted("advice.scope_ignored", "request.scope_not_registered", "request.scope_unknown")
	}, vneid.StepAuthorize)
}

func flowDeprecated(t *traffic) []Evidence {
	return t.each(func(m message) (string, bool) {
		if grant := m.sent("grant_type"); grant == "password" {
			return grant, true
		}
		return m.sent("response_type"), m.hinted("request.response_type")
	}, vneid.StepAuthorize, vneid.StepToken)
}

func redirectRefused(t *traffic) []Evidence {
	return t.each(func(m message) (string, bool) {
		return m.sent("redirect_uri"), m.hinted("redirect_uri_invalid", "redirect_uri_missing", "code.redirect_uri_differs")
	}, vneid.StepAuthorize, vneid.StepToken)
}

// redirectVariants compares addresses that were accepted by what differs in
// spelling only.
func redirectVariants(t *traffic) (list []Evidence) {
	first := map[string]string{}
	for _, m := range t.authorizations() {
		sent := m.sent("redirect_uri")
		u, err := url.Parse(sent)
		if err != nil || sent == "" {
			continue
		}
		host, port := strings.ToLower(u.Hostname()), ":"+u.Port()
		if host == "127.0.0.1" || host == "::1" || host == "localhost" {
			host = "localhost"
			if t.client.LoopbackAnyPort {
				port = "" // RFC 8252 §7.3
				sent = strings.Replace(sent, ":"+u.Port(), "", 1)
			}
		}
		key := host + port + strings.ToLower(strings.TrimRight(u.Path, "/"))
		if before, known := first[key]; !known {
			first[key] = sent
		} else if before != sent {
			list = append(list, m.evidence(m.sent("redirect_uri")))
		}
	}
	return list
}

func queryBroken(t *traffic) []Evidence {
	return t.each(func(m message) (string, bool) {
		if detail, failed := m.failed("uri_encoding"); failed {
			return detail, true
		}
		for _, name := range []string{"state", "nonce", "code_challenge"} {
			if strings.Contains(m.sent(name), " ") { // nobody's generator makes spaces: it was a +
				return name, true
			}
		}
		return "", m.hinted("request.unreadable_form", "client.unreadable_form", "invalid_utf8")
	}, everywhere...)
}

func queryUnencoded(t *traffic) []Evidence {
	return t.each(func(m message) (string, bool) { return m.failed("form_encoding") }, vneid.StepAuthorize)
}

func secretInURL(t *traffic) []Evidence {
	return t.each(func(m message) (string, bool) { return "client_secret", len(m.inQuery("client_secret")) > 0 }, everywhere...)
}

// authorizeLoop finds requests in a row, of one session or with one and the
// same error, faster than people act.
func authorizeLoop(t *traffic) (list []Evidence) {
	run, key := 0, ""
	var last time.Time
	for _, m := range t.steps[vneid.StepAuthorize] {
		this := m.step.Peer + " " + m.step.Agent + " " + m.rec.SessionID + " " + m.step.Error
		settled := m.rec.SessionID == "" && m.step.Error == "" // somebody is asked to sign in, and it stops there
		if this == key && !settled && m.step.At.Sub(last) <= loopPause {
			run++
		} else {
			run = 1
		}
		if key, last = this, m.step.At; run >= loopRequests {
			list = append(list, m.evidence(strconv.Itoa(run)))
		}
	}
	return list
}
