package lint

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// redeemed walks through the token requests for each code, in their order.
func (t *traffic) redeemed(say func(before []message, m message) (value string, found bool)) (list []Evidence) {
	byCode := map[string][]message{}
	for _, m := range t.steps[vneid.StepToken] {
		code := m.sent("code")
		if code == "" {
			continue
		}
		if value, found := say(byCode[code], m); found {
			list = append(list, m.evidence(value))
		}
		byCode[code] = append(byCode[code], m)
	}
	return list
}

func (m message) succeeded() bool { return m.step.Status == 200 }

func codeTwice(t *traffic) []Evidence {
	return t.redeemed(func(before []message, m message) (string, bool) {
		return m.sent("code"), slices.ContainsFunc(before, message.succeeded)
	})
}

func codeRetried(t *traffic) []Evidence {
	return t.redeemed(func(before []message, m message) (string, bool) {
		refused := slices.ContainsFunc(before, func(b message) bool { return b.step.Error == "invalid_grant" })
		return m.sent("code"), refused && !slices.ContainsFunc(before, message.succeeded)
	})
}

// issued is when the code of a record was given out.
func issued(r *vneid.Record) (at time.Time, found bool) {
	for i := range r.Steps {
		if s := &r.Steps[i]; s.Kind == vneid.StepAnswer && valueOf(s.Request, "code") != "" {
			return s.At, true
		}
	}
	return time.Time{}, false
}

func codeLate(t *traffic) []Evidence {
	return t.redeemed(func(before []message, m message) (string, bool) {
		at, found := issued(m.rec)
		took := m.step.At.Sub(at)
		return took.Round(time.Second).String(), found && len(before) == 0 && took > lateCode
	})
}

func codeUnredeemed(t *traffic) (list []Evidence) {
	for i := range t.records {
		r := &t.records[i]
		at, found := issued(r)
		tried := slices.ContainsFunc(r.Steps, func(s vneid.RecordStep) bool { return s.Kind == vneid.StepToken })
		if found && !tried && r.At(t.now) == vneid.ResultExpired {
			list = append(list, Evidence{Login: r.ID, At: at})
		}
	}
	if len(list) < lostCodes {
		return nil
	}
	return list
}

func clientAuthentication(t *traffic) []Evidence {
	return t.each(func(m message) (string, bool) {
		return m.step.Detail, m.hinted("client.wrong_method", "client.wrong_secret", "client.basic_unreadable", "client.basic_not_encoded",
			"client.two_authentications", "client.ids_differ", "client.no_authentication", "client.assertion_type", "client.assertion_unreadable",
			"client.assertion_refused", "client.assertion_replayed")
	}, backChannel...)
}

func tokenMethod(t *traffic) []Evidence {
	return t.each(func(m message) (string, bool) {
		return m.step.Method, m.hinted("request.method", "client.parameters_in_url", "client.media_type")
	}, vneid.StepToken, vneid.StepRefresh)
}

func tokenInURL(t *traffic) []Evidence {
	return t.each(func(m message) (string, bool) {
		names := m.inQuery("access_token", "refresh_token", "code", "token", "id_token", "code_verifier")
		return strings.Join(names, " "), len(names) > 0
	}, everywhere...)
}

// signIns with an ID token, of a caller that is known.
func (t *traffic) signIns() []message {
	return slices.DeleteFunc(t.redemptions(), func(m message) bool { return m.step.Peer == "" || m.idToken() == nil })
}

func jwksNever(t *traffic) (list []Evidence) {
	signIns := t.signIns()
	if len(signIns) < fewSignIns || len(t.fetches) >= vneid.MostTraffic { // an old fetch may be forgotten
		return nil
	}
	for _, m := range signIns {
		if t.fetchedBy(m, vneid.StepJWKS, false, time.Time{}, time.Time{}) {
			return nil
		}
		list = append(list, m.evidence(""))
	}
	return list
}

// fetchWithin is how long after its token answer a sign-in still fetches.
const fetchWithin = 2 * time.Second

// everyLogin finds what is fetched at four of five sign-ins. Which client a
// fetch is of, nothing says: it counts when it comes from where the client's
// token request came from, by the same program, while somebody signs in.
func everyLogin(what string) func(*traffic) []Evidence {
	return func(t *traffic) (list []Evidence) {
		signIns := t.signIns()
		for _, m := range signIns {
			if t.fetchedBy(m, vneid.StepKind(what), true, m.rec.StartedAt, m.step.At.Add(fetchWithin)) {
				list = append(list, m.evidence(""))
			}
		}
		if len(signIns) < fewSignIns || len(list)*5 < len(signIns)*4 {
			return nil
		}
		return list
	}
}

// personal are claims of an ID token that make userinfo superfluous.
var personal = []string{"name", "family_name", "birthdate", "phone_number", "address", "email", "cccd"}

func userinfoNever(t *traffic) (list []Evidence) {
	if len(t.steps[vneid.StepUserinfo]) > 0 {
		return nil
	}
	for _, m := range t.redemptions() {
		claims := m.idToken()
		if slices.ContainsFunc(personal, func(name string) bool { return claims[name] != nil }) {
			return nil
		}
		if slices.ContainsFunc(m.scopes(), func(s string) bool { return s != vneid.ScopeOpenID && s != vneid.ScopeOfflineAccess }) {
			list = append(list, m.evidence(m.answered("scope")))
		}
	}
	if len(list) < fewSignIns {
		return nil
	}
	return list
}

func userinfoOften(t *traffic) []Evidence {
	calls := map[string]int{}
	return t.each(func(m message) (string, bool) {
		token := m.sent("access_token")
		calls[token]++
		return strconv.Itoa(calls[token]), m.succeeded() && calls[token] > oftenPerTok
	}, vneid.StepUserinfo)
}

func userinfoJSON(t *traffic) []Evidence {
	return t.each(func(m message) (string, bool) {
		media := m.sent("content_type")
		return media, m.step.Method == "POST" && strings.HasSuffix(media, "json")
	}, vneid.StepUserinfo)
}

func userinfoWrongToken(t *traffic) []Evidence {
	return t.each(func(m message) (string, bool) { return "", m.hinted("token.not_access") }, vneid.StepUserinfo)
}

func userinfoDeadToken(t *traffic) []Evidence {
	return t.each(func(m message) (string, bool) { return "", m.hinted("token.expired", "token.revoked") }, vneid.StepUserinfo)
}

// offlineUnused looks at sign-ins whose access token is over: until then there
// is nothing to refresh.
func offlineUnused(t *traffic) (list []Evidence) {
	if len(t.steps[vneid.StepRefresh]) > 0 {
		return nil
	}
	for _, m := range t.redemptions() {
		seconds, err := strconv.Atoi(m.answered("expires_in"))
		if err == nil && m.answered("refresh_token") != "" && t.now.Sub(m.step.At) > time.Duration(seconds)*time.Second {
			list = append(list, m.evidence(""))
		}
	}
	if len(list) < fewSignIns {
		return nil
	}
	return list
}

func signoutNever(t *traffic) (list []Evidence) {
	told := slices.ContainsFunc(t.steps[vneid.StepLogoutNotice], func(m message) bool { return m.step.Error == "" })
	if told || len(t.steps[vneid.StepEndSession]) > 0 {
		return nil
	}
	for _, m := range t.redemptions() {
		list = append(list, m.evidence(""))
	}
	if len(list) < manySignIns {
		return nil
	}
	return list
}

func signoutUnheard(t *traffic) []Evidence {
	return t.each(func(m message) (string, bool) { return m.step.Path, m.hinted("logout.not_heard") }, vneid.StepLogoutNotice)
}
