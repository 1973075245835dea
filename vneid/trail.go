package vneid

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Trail collects what a request does, for its [Record]. Whoever opens it puts
// it into the context of the request; honest code adds what it knows and never
// waits, since a trail is memory only. Without one in the context every method
// does nothing:
//
//	vneid.TrailFrom(ctx).Check("pkce", true, "S256")
//
// A trail masks numbers and replaces secrets as they come in, so it may be told
// everything but what [Trail.Param] does not know. It belongs to one goroutine.
type Trail struct {
	world *World
	id    string // of the request
	begun time.Time

	step   RecordStep
	beside []RecordStep // of others, within this request
	login  *Login       // read when the trail ends, as what follows
	cccd   CCCD
	claims map[string]any
	record Record // what else is known
	own    bool   // refused: without a login it is a record of its own
}

// NewTrail begins a trail at a time of the machine's clock. requestID becomes
// the id of the record when the request is refused and belongs to no login.
func NewTrail(w *World, requestID string, begun time.Time) *Trail {
	t := &Trail{world: w, id: requestID, begun: begun}
	t.step.At = w.Clock.Now()
	return t
}

// Recorder opens and closes trails of what is no request to us. It never waits.
type Recorder interface {
	// Begin is nil when nothing is recorded.
	Begin(w *World, id string) *Trail
	End(t *Trail, status int)
}

type trailKey struct{}

// WithTrail puts a trail into the context of its request.
func WithTrail(ctx context.Context, t *Trail) context.Context {
	return context.WithValue(ctx, trailKey{}, t)
}

// TrailFrom is the trail of the request, nil when nothing is recorded.
func TrailFrom(ctx context.Context) *Trail {
	t, _ := ctx.Value(trailKey{}).(*Trail)
	return t
}

// World is the id of the trail's world.
func (t *Trail) World() string { return t.world.ID }

// Message says what the request is: who speaks to whom about what. A trail that
// never hears it leaves nothing.
func (t *Trail) Message(from, to Party, kind StepKind, method, path string) {
	if t == nil {
		return
	}
	s := &t.step
	s.From, s.To, s.Kind, s.Method, s.Path = from, to, kind, method, clipText(path, 300)
}

// Kind corrects what the request is about, once that is known.
func (t *Trail) Kind(kind StepKind) {
	if t != nil {
		t.step.Kind = kind
	}
}

// Peer says who called.
func (t *Trail) Peer(address, userAgent string) {
	if t != nil {
		t.step.Peer, t.step.Agent = address, ClipAgent(userAgent)
	}
}

// ClipAgent is what is kept of a User-Agent.
func ClipAgent(userAgent string) string { return clipText(userAgent, 160) }

// Login ties the request to a login, as it will stand when the trail ends. The
// last call counts.
func (t *Trail) Login(l *Login) {
	if t != nil {
		t.login = l
	}
}

func (t *Trail) readLogin() {
	l, r := t.login, &t.record
	if l == nil {
		return
	}
	r.ID, r.ClientID, r.SessionID, r.Result = l.ID, l.Request.ClientID, l.SessionID, resultOf(l.State)
	r.StartedAt = l.CreatedAt
	if !l.State.Final() {
		r.EndsAt = l.deadline()
	}
	if l.CCCD != "" {
		t.cccd = l.CCCD
	} else if l.QR.CCCD != "" {
		t.cccd = l.QR.CCCD
	}
}

// Token ties the request to the login that a token comes from.
func (t *Trail) Token(k *Token) {
	if t == nil || k == nil {
		return
	}
	if k.CCCD == "" {
		t.Client(k.ClientID) // a client's own: no login to tell of
		return
	}
	// The login is that of the token's client, whoever shows the token.
	t.record.ID, t.record.ClientID, t.record.SessionID, t.record.Result = k.GrantID, k.ClientID, k.SessionID, ResultSignedIn
	t.cccd = k.CCCD
}

// Session ties the request to the newest login of a session, one of the
// request's client if there is.
func (t *Trail) Session(sid string) {
	if t != nil && sid != "" {
		t.record.SessionID = sid
	}
}

// Client says which client the request is of, known or claimed.
func (t *Trail) Client(id string) {
	if t != nil && t.record.ClientID == "" {
		t.record.ClientID = clipText(id, 128)
	}
}

// Param notes a parameter of the request. What its name says is secret is not
// kept, nor the value of a parameter that nobody knows.
func (t *Trail) Param(in, name, value string) {
	if t == nil || len(t.step.Request) >= mostFields {
		return
	}
	f := StepField{Name: clipText(name, 40), In: in}
	f.Value, f.Secret = t.shown(name, value)
	t.step.Request = append(t.step.Request, f)
}

// Params notes the parameters of a query or a form, in the order in which one
// reads them.
func (t *Trail) Params(in string, form map[string][]string) {
	if t == nil {
		return
	}
	for _, name := range slices.SortedFunc(maps.Keys(form), byParam) {
		for _, value := range form[name] {
			t.Param(in, name, value)
		}
	}
}

// Answer notes a parameter or member of the answer.
func (t *Trail) Answer(name, value string) {
	if t == nil || len(t.step.Response) >= mostFields {
		return
	}
	f := StepField{Name: clipText(name, 40)}
	f.Value, f.Secret = t.shown(name, value)
	t.step.Response = append(t.step.Response, f)
}

// Issued notes a JWT that the provider made. The maps are not kept.
func (t *Trail) Issued(use string, header, claims map[string]any) {
	if t == nil {
		return
	}
	t.step.Tokens = append(t.step.Tokens, IssuedToken{use, maskedJSON(header), maskedJSON(claims)})
}

// Claims notes what an answer says about a person. Nobody changes the map any
// more.
func (t *Trail) Claims(claims map[string]any) {
	if t != nil {
		t.claims = claims
	}
}

func (t *Trail) readClaims() {
	claims := t.claims
	t.step.Response = slices.Grow(t.step.Response, min(len(claims), mostFields))
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		if len(t.step.Response) >= mostFields {
			return
		}
		value := maskedClaim(name, claims[name])
		text, ok := value.(string)
		if !ok {
			var raw bytes.Buffer
			enc := json.NewEncoder(&raw)
			enc.SetEscapeHTML(false)
			if enc.Encode(value) != nil {
				continue // our own claims always encode
			}
			text = strings.TrimSpace(raw.String())
		}
		t.step.Response = append(t.step.Response, StepField{Name: name, Value: clipText(text, maxValue)})
	}
}

// Check notes what was verified.
func (t *Trail) Check(name string, ok bool, detail string) {
	if t != nil && len(t.step.Checks) < mostFields {
		t.step.Checks = append(t.step.Checks, StepCheck{name, ok, clipText(detail, maxValue)})
	}
}

// Hint tells the developer what is wrong and what to change: id is one of the
// table of hints (sandbox/record), args go into its text.
func (t *Trail) Hint(id string, args ...string) {
	if t == nil || len(t.step.Hints) >= mostFields {
		return
	}
	for _, h := range t.step.Hints {
		if h.ID == id {
			return // said already
		}
	}
	h := StepHint{ID: id}
	for _, a := range args {
		h.Args = append(h.Args, clipText(a, maxValue))
	}
	t.step.Hints = append(t.step.Hints, h)
}

// Refuse notes why the request was not done: an [Error] brings its hint.
func (t *Trail) Refuse(err error) {
	if t == nil || err == nil {
		return
	}
	t.own = true
	t.step.Error = MsgKey(err)
	var e *Error
	if !errors.As(err, &e) {
		if errors.Is(err, ErrUnavailable) {
			t.step.Error = "unavailable"
		}
		t.Hint(t.step.Error)
		return
	}
	t.step.Detail = clipText(e.Hint, maxValue)
	id, args := e.HintID()
	t.Hint(id, args...)
}

// RefuseOAuth notes an OAuth error as the answer, and the hint that explains it.
func (t *Trail) RefuseOAuth(code, detail string, hint string, args ...string) {
	if t == nil {
		return
	}
	t.own = true
	t.step.Error, t.step.Detail = code, clipText(detail, maxValue)
	if hint != "" {
		t.Hint(hint, args...)
	}
}

// Refused reports whether somebody noted a refusal.
func (t *Trail) Refused() bool { return t != nil && t.own }

// Beside notes a message that somebody else got within this request.
// pairs are names and values of its parameters.
func (t *Trail) Beside(from, to Party, kind StepKind, path string, pairs ...string) {
	if t == nil || len(t.beside) >= mostFields {
		return
	}
	s := RecordStep{At: t.world.Clock.Now(), From: from, To: to, Kind: kind, Path: clipText(path, maxValue)}
	for i := 0; i+1 < len(pairs); i += 2 {
		f := StepField{Name: pairs[i]}
		if f.Value, f.Secret = t.shown(pairs[i], pairs[i+1]); f.Value != "" {
			s.Request = append(s.Request, f)
		}
	}
	t.beside = append(t.beside, s)
}

// Looks reports whether the request asks about a token, as one may do again and
// again without anything coming of it.
func (t *Trail) Looks() bool {
	return t.step.Kind == StepUserinfo || t.step.Kind == StepIntrospect
}

// RecordID is the record that this request is part of, "" when it is of none.
func (t *Trail) RecordID() string {
	switch {
	case t == nil || t.step.Kind == "":
		return ""
	case t.login != nil:
		return t.login.ID
	case t.record.ID != "":
		return t.record.ID
	case t.own && t.record.SessionID == "":
		return t.id
	}
	return ""
}

// End closes the trail: the request was answered with status at a time of the
// machine's clock. part is nil for a request that leaves nothing; traffic for one
// that belongs to no login.
func (t *Trail) End(status int, at time.Time) (part *Record, traffic *Traffic) {
	if t == nil || t.step.Kind == "" {
		return nil, nil
	}
	s := &t.step
	s.Status, s.Millis = status, float64(at.Sub(t.begun).Microseconds())/1000
	t.readLogin()
	r := &t.record
	switch {
	case s.Kind == StepJWKS || s.Kind == StepDiscovery:
		return nil, &Traffic{Kind: s.Kind, Peer: s.Peer, Agent: s.Agent, At: s.At, LastAt: s.At, Count: 1}
	case r.ID == "" && t.own && r.SessionID == "":
		r.ID, r.Result, r.StartedAt = t.id, ResultRejected, s.At
	case r.ID == "" && r.SessionID == "":
		return nil, nil
	}
	if t.cccd != "" {
		r.CCCD, r.CCCDHash = t.cccd.Mask(), RecordCCCDHash(t.world.Salt, t.cccd)
	}
	if t.claims != nil {
		t.readClaims()
	}
	r.UpdatedAt, r.Error = s.At, s.Error
	r.Steps = append([]RecordStep{*s}, t.beside...)
	return r, nil
}

const (
	mostFields = 40  // of one kind in a step
	maxValue   = 512 // bytes of one value
)

// How a parameter is kept.
type paramClass int

const (
	paramUnknown paramClass = iota
	paramPlain              // as it is, numbers masked
	paramToken              // long and random: a fingerprint
	paramHidden             // chosen by people or short: nothing
	paramPerson             // a number that somebody typed
)

// params are the names that are known, in the order in which they are shown.
var params = func() map[string]struct {
	class paramClass
	order int
} {
	known := map[string]struct {
		class paramClass
		order int
	}{}
	for _, group := range []struct {
		class paramClass
		names string
	}{
		{paramPlain, "grant_type response_type client_id redirect_uri scope state nonce code_challenge code_challenge_method response_mode prompt max_age acr_values ui_locales claims_locales display"},
		{paramToken, "code code_verifier refresh_token access_token token id_token id_token_hint logout_token client_assertion request device_code"},
		{paramHidden, "client_secret password otp passcode"},
		{paramPerson, "username login_hint"},
		{paramPlain, "token_type_hint token_type expires_in post_logout_redirect_uri client_assertion_type request_uri error error_description error_uri iss active sub aud exp iat decision agree lang resent g number to location content_type www_authenticate authorization"},
	} {
		for _, name := range strings.Fields(group.names) {
			known[name] = struct {
				class paramClass
				order int
			}{group.class, len(known)}
		}
	}
	return known
}()

func byParam(a, b string) int {
	pa, okA := params[a]
	pb, okB := params[b]
	switch {
	case okA && okB:
		return pa.order - pb.order
	case okA:
		return -1
	case okB:
		return 1
	}
	return strings.Compare(a, b)
}

// shown is what may be kept of a value.
//
// State and nonce are kept as they are, up to 512 bytes: they are worth nothing
// but in the browser that began, and whether they are short, reused, or carry an
// address is what a developer has to see.
func (t *Trail) shown(name, value string) (text string, secret bool) {
	if value == "" {
		return "", false
	}
	switch params[name].class {
	case paramPlain:
		if len(value) > maxValue && (name == "state" || name == "nonce") {
			return t.fingerprint(value), true
		}
		return clipText(value, maxValue), false
	case paramToken:
		return t.fingerprint(value), true
	case paramPerson:
		if c, err := ParseCCCD(value, 9999); err == nil {
			return c.Mask(), false
		}
	}
	return Hidden, true
}

// fingerprint tells equal secrets from different ones and nothing else.
func (t *Trail) fingerprint(value string) string {
	m := hmac.New(sha256.New, t.world.Salt)
	m.Write([]byte("fingerprint\x00" + value))
	return "#" + base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:6])
}

// clipText bounds a text, keeps it UTF-8 in one line, and masks numbers and JWTs
// in it.
func clipText(s string, most int) string {
	long := len(s) > most
	if long {
		s = s[:min(len(s), 2*most+24)] // a number on the edge is masked before it is cut
	}
	clean := utf8.ValidString(s)
	digits := 0
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == 0x7f {
			clean = false
		} else if c >= '0' && c <= '9' {
			digits++
		}
	}
	if !clean {
		s = strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return ' '
			}
			return r
		}, strings.ToValidUTF8(s, "�"))
	}
	if digits >= 12 {
		s = maskNumbers(s)
	}
	if strings.Contains(s, "eyJ") {
		s = hideJWT(s)
	}
	if long && len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// maskNumbers masks every run of twelve digits.
func maskNumbers(s string) string {
	var out []byte
	for i := 0; i < len(s); {
		n := i
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		if n-i == 12 {
			if out == nil {
				out = []byte(s)
			}
			copy(out[i+3:i+9], "******")
		}
		i = max(n, i+1)
	}
	if out == nil {
		return s
	}
	return string(out)
}

// hideJWT replaces what looks like a compact JWS by a word.
func hideJWT(s string) string {
	for {
		i := strings.Index(s, "eyJ")
		if i < 0 {
			return s
		}
		n, dots := i, 0
		for n < len(s) && (s[n] == '.' || s[n] == '-' || s[n] == '_' || s[n]|0x20 >= 'a' && s[n]|0x20 <= 'z' || s[n] >= '0' && s[n] <= '9') {
			if s[n] == '.' {
				dots++
			}
			n++
		}
		if dots < 1 {
			rest := hideJWT(s[i+3:])
			return s[:i+3] + rest
		}
		s = s[:i] + "(JWT)" + s[n:]
	}
}

// maskedJSON encodes claims with numbers and phones masked.
func maskedJSON(claims map[string]any) json.RawMessage {
	masked := make(map[string]any, len(claims))
	for name, value := range claims {
		masked[name] = maskedClaim(name, value)
	}
	b, err := json.Marshal(masked)
	if err != nil {
		return json.RawMessage("{}") // our own claims always encode
	}
	return b
}

func maskedClaim(name string, value any) any {
	s, ok := value.(string)
	switch {
	case !ok:
		return value
	case name == "cmnd" && len(s) > 4:
		return s[:2] + strings.Repeat("*", len(s)-4) + s[len(s)-2:]
	case name == "phone_number" && len(s) > 7:
		return s[:len(s)-7] + "****" + s[len(s)-3:]
	}
	return clipText(s, maxValue)
}
