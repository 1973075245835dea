package op

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/op/phoneapi"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Fetched is the kind of a request that belongs to no login and is answered
// whoever asks, "" for any other.
func Fetched(r *http.Request) vneid.StepKind {
	switch {
	case r.Method != http.MethodGet:
		return ""
	case r.URL.Path == pathDiscovery:
		return vneid.StepDiscovery
	case r.URL.Path == pathKeys:
		return vneid.StepJWKS
	}
	return ""
}

// message says to the trail of a request what it is. Requests that say nothing
// about a login (style sheets, pictures, a page that asks again and again
// whether a phone was there) leave none, unless they are refused.
func message(t *vneid.Trail, r *http.Request) {
	if t == nil {
		return
	}
	from, kind := vneid.PartyRP, vneid.StepKind("")
	switch path := r.URL.Path; path {
	case pathDiscovery:
		kind = vneid.StepDiscovery
	case pathKeys:
		kind = vneid.StepJWKS
	case pathToken:
		kind = vneid.StepToken
	case pathDevice:
		kind = vneid.StepDevice
	case pathUserinfo:
		kind = vneid.StepUserinfo
	case pathIntrospect:
		kind = vneid.StepIntrospect
	case pathRevoke:
		kind = vneid.StepRevoke
	case pathAuthorize:
		from, kind = vneid.PartyBrowser, vneid.StepAuthorize
	case pathEndSession, pathSignOut:
		from, kind = vneid.PartyBrowser, vneid.StepEndSession
	default:
		switch {
		case strings.HasPrefix(path, "/login/"):
			from, kind = vneid.PartyBrowser, pageKind(r.Method, path)
		case strings.HasPrefix(path, phoneapi.Prefix):
			from, kind = vneid.PartyPhone, phoneKinds[strings.TrimPrefix(path, phoneapi.Prefix)]
		}
	}
	if kind != "" && r.Method != http.MethodOptions {
		t.Message(from, vneid.PartyProvider, kind, r.Method, r.URL.Path)
	}
}

var phoneKinds = map[string]vneid.StepKind{"scan": vneid.StepScan, "confirm": vneid.StepConfirm, "refuse": vneid.StepRefuse, "disown": vneid.StepDisown}

func pageKind(method, path string) vneid.StepKind {
	_, page, below := strings.Cut(strings.TrimPrefix(path, "/login/"), "/")
	if !below {
		return vneid.StepPage
	}
	if page == "return" {
		return vneid.StepPage
	}
	if method != http.MethodPost {
		return ""
	}
	switch page {
	case "account":
		return vneid.StepAccount
	case "password":
		return vneid.StepPassword
	case "otp":
		return vneid.StepOTP
	case "resend":
		return vneid.StepResend
	case "qr":
		return vneid.StepQR
	case "sharing":
		return vneid.StepConsent
	case "cancel":
		return vneid.StepCancel
	}
	return ""
}

// logRefusal is the one log line of a refused request of a client, and what its
// developer reads in the record: hint names a text of the table of hints.
// The library writes others to the default logger, which holds no more than this.
func (p *Provider) logRefusal(ctx context.Context, code, why, hint string, args []string, attrs ...slog.Attr) {
	vneid.TrailFrom(ctx).RefuseOAuth(code, why, hint, args...)
	attrs = append(attrs, slog.String("error", code), slog.String("hint", why), slog.String("world", vneid.WorldFrom(ctx).ID))
	p.logger.LogAttrs(ctx, slog.LevelInfo, "client request refused", attrs...)
}

// errorReader learns what the library answers when it refuses a request before
// any code of ours has seen it.
type errorReader struct {
	http.ResponseWriter
	trail  *vneid.Trail
	status int
}

func (w *errorReader) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *errorReader) Write(b []byte) (int, error) {
	if w.status >= http.StatusBadRequest && !w.trail.Refused() {
		var body oauthError
		if json.Unmarshal(b, &body) == nil {
			w.trail.RefuseOAuth(body.Error, body.Description, "client.request_incomplete", body.Description)
		}
	}
	return w.ResponseWriter.Write(b)
}

// trailAuthorization notes how a client authenticates, without what proves it.
func trailAuthorization(t *vneid.Trail, r *http.Request) {
	header := r.Header.Get("Authorization")
	if t == nil || header == "" {
		return
	}
	scheme, rest, _ := strings.Cut(header, " ")
	switch {
	case strings.EqualFold(scheme, "Basic"):
		id, _, ok := r.BasicAuth()
		if !ok {
			t.Param(vneid.InHeader, "authorization", "Basic (unreadable)")
			return
		}
		t.Param(vneid.InHeader, "authorization", "Basic "+printable(unescaped(id))+":"+vneid.Hidden)
		t.Client(printable(unescaped(id)))
	case strings.EqualFold(scheme, "Bearer"):
		t.Param(vneid.InHeader, "authorization", "Bearer")
		t.Param(vneid.InHeader, "access_token", strings.TrimSpace(rest))
	default: // whatever that is, it may be the secret itself
		t.Param(vneid.InHeader, "authorization", vneid.Hidden)
	}
}

// trailQuery notes what of a query is not encoded as a form is (RFC 6749
// Appendix B): what no URI may hold (RFC 3986 §3.4), and what it may but a form
// does not. client_id is read even where the rest cannot be.
func trailQuery(t *vneid.Trail, r *http.Request) {
	raw := r.URL.RawQuery
	if t == nil || raw == "" {
		return
	}
	var forbidden, plain string
	note := func(list *string, what string) {
		if !strings.Contains(*list, what) {
			*list += " " + what
		}
	}
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9', strings.IndexByte("-._~!'()*&=+", c) >= 0:
		case c == '%':
			if _, err := url.QueryUnescape(raw[i:min(i+3, len(raw))]); err != nil {
				note(&forbidden, "%")
			}
		case strings.IndexByte("$,;:@/?", c) >= 0:
			note(&plain, string(c))
		case c >= 0x80:
			note(&forbidden, "≥0x80")
		default:
			note(&forbidden, string(c))
		}
	}
	if forbidden != "" {
		t.Check("uri_encoding", false, forbidden[1:])
	}
	if plain != "" {
		t.Check("form_encoding", false, plain[1:])
	}
	t.Client(r.URL.Query().Get("client_id"))
}

// trailTokens notes what a grant gives out.
func trailTokens(ctx context.Context, g *vneid.Grant) {
	t := vneid.TrailFrom(ctx)
	if t == nil {
		return
	}
	t.Answer("access_token", g.Access)
	t.Answer("token_type", "Bearer")
	t.Answer("expires_in", strconv.Itoa(int(g.ExpiresIn.Seconds())))
	t.Answer("refresh_token", g.Refresh)
	t.Answer("scope", strings.Join(g.AccessToken.Scopes, " "))
}

// trailJWT notes what a JWT of ours says.
func trailJWT(ctx context.Context, use, token string, claims map[string]any) {
	t := vneid.TrailFrom(ctx)
	if t == nil || token == "" {
		return
	}
	head, _, _ := strings.Cut(token, ".")
	var header map[string]any
	if raw, err := base64.RawURLEncoding.DecodeString(head); err != nil || json.Unmarshal(raw, &header) != nil {
		return // ours are readable
	}
	t.Issued(use, header, claims)
}

// nearestClient is the id that somebody who wrote id may have meant, "" = none
// is near.
func nearestClient(tx vneid.Tx, id string) string {
	clients, err := tx.Clients()
	if err != nil {
		return "" // it is only a hint
	}
	ids := make([]string, len(clients))
	for i := range clients {
		ids[i] = clients[i].ClientID
	}
	return nearest(id, ids)
}

// nearest is the candidate that differs from s in the fewest letters, at most a
// third of them.
func nearest(s string, candidates []string) (best string) {
	if len(s) > 300 {
		return ""
	}
	least := max(2, len(s)/3) + 1
	for _, c := range candidates {
		if d := distance(strings.ToLower(s), strings.ToLower(c), least); d < least {
			best, least = c, d
		}
	}
	return best
}

// distance is Levenshtein's, or most when it is not less.
func distance(a, b string, most int) int {
	if len(b) > 300 || len(a)-len(b) >= most || len(b)-len(a) >= most {
		return most
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		left := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := left
			if a[i] != b[j] {
				cost = 1 + min(left, row[j], row[j+1])
			}
			left, row[j+1] = row[j+1], cost
		}
	}
	return min(row[len(b)], most)
}

// nearestClient is what the hint about an unknown client says: the id, and the
// one that was perhaps meant.
func (p *Provider) nearestClient(ctx context.Context, id string) []string {
	if vneid.TrailFrom(ctx) == nil {
		return nil
	}
	near := ""
	// Only for a developer's eyes: without an answer the hint says less.
	_ = p.service.Store.View(ctx, vneid.WorldFrom(ctx).ID, func(tx vneid.Tx) error {
		near = nearestClient(tx, id)
		return nil
	})
	return []string{printable(id), near}
}

// advise tells what a valid request could do better.
func advise(t *vneid.Trail, req *vneid.AuthRequest, form url.Values) {
	if t == nil {
		return
	}
	if req.State == "" {
		t.Hint("advice.no_state")
	}
	if req.Nonce == "" {
		t.Hint("advice.no_nonce")
	}
	if req.CodeChallenge == "" {
		t.Hint("advice.no_pkce")
	} else {
		t.Check("code_challenge", true, "S256")
	}
	if !slices.Contains(req.Scopes, vneid.ScopeOpenID) {
		t.Hint("advice.no_openid")
	}
	for _, s := range strings.Fields(form.Get("scope")) {
		if !slices.Contains(vneid.SupportedScopes(), s) {
			t.Hint("advice.scope_ignored", printable(s))
		}
	}
}
