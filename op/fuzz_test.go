package op_test

// What strangers send, mutated: each target holds its endpoint to what must be
// true of every answer, whatever came in. The world is made once per process.

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// fuzzWorld is a world in which An is signed in at one browser and the client
// "basic" holds tokens for her. Inputs name these secrets, which differ from
// process to process, by placeholders.
type fuzzWorld struct {
	*testWorld
	session, browserName string // cookie values
	access, idToken      string
	login                string // the id of a login that another browser began
	calls                int
}

func newFuzzWorld(f *testing.F) *fuzzWorld {
	f.Helper()
	w := &fuzzWorld{testWorld: newWorld(f)}
	w.world.Policy.LoginsPerMinute = 0 // a fuzzer begins more
	b := w.browser()
	tokens := w.token("basic", codeForm(b.signIn(request("basic"), an).param("code"))).json(f)
	w.access, w.idToken = tokens["access_token"].(string), tokens["id_token"].(string)
	issuer, _ := url.Parse(w.url)
	for _, c := range b.Jar.Cookies(issuer) {
		switch {
		case strings.HasSuffix(c.Name, "_session"):
			w.session = c.Value
		case strings.HasSuffix(c.Name, "_browser"):
			w.browserName = c.Value
		}
	}
	w.login = strings.TrimPrefix(w.browser().authorize(request("basic")).Header.Get("Location"), "/login/")
	if w.session == "" || w.browserName == "" || w.login == "" {
		f.Fatalf("not signed in: session %q, browser %q, login %q", w.session, w.browserName, w.login)
	}
	return w
}

// fill puts the secrets of this process in the place of their names.
func (w *fuzzWorld) fill(s string) string {
	return strings.NewReplacer("$SESSION", w.session, "$BROWSER", w.browserName, "$ACCESS", w.access, "$HINT", w.idToken, "$LOGIN", w.login).Replace(s)
}

// serve sends a request past the network, and checks what holds for every answer.
func (w *fuzzWorld) serve(t *testing.T, method, path, query, body string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(vneid.WithWorld(context.Background(), w.world), method, w.url+path, strings.NewReader(body))
	if err != nil {
		t.Skip("no client can send this path")
	}
	if strings.ContainsFunc(query, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		t.Skip("no server reads such a request line")
	}
	req.URL.RawQuery, req.RequestURI = query, path
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		if strings.ContainsFunc(header[i+1], func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			t.Skip("no server reads such a header")
		}
		req.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.provider.ServeHTTP(rec, req)
	a := answer{rec.Result(), rec.Body.String()}
	if a.StatusCode >= 500 {
		t.Fatalf("%s: %s", a.Status, a.body)
	}
	for name, values := range a.Header {
		if strings.ContainsAny(strings.Join(values, ""), "\r\n\x00") {
			t.Fatalf("header %s is split: %q", name, values)
		}
	}
	if strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") && a.Header.Get("Location") == "" {
		w.checkPage(t, a)
	}
	if w.calls++; w.calls%5000 == 0 {
		w.forget(t)
	}
	return a
}

// forget keeps the database of a long run small: logins of nobody die after an
// hour, but for the one that the targets know; sessions and tokens later.
func (w *fuzzWorld) forget(t *testing.T) {
	later := *w.world
	later.Clock = &vneid.OffsetClock{Base: w.clock}
	later.Clock.(*vneid.OffsetClock).SetOffset(23 * time.Hour)
	ctx := context.Background()
	var known *vneid.Login
	err := w.store.View(ctx, w.world.ID, func(tx vneid.Tx) (err error) { known, err = tx.Login(w.login); return err })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Collect(ctx, &later); err != nil {
		t.Fatal(err)
	}
	err = w.store.Update(ctx, w.world.ID, func(tx vneid.Tx) error { return tx.InsertLogin(known) })
	if err != nil && !errors.Is(err, vneid.ErrExists) {
		t.Fatal(err)
	}
}

const bannerText = "MÔI TRƯỜNG THỬ NGHIỆM — KHÔNG NHẬP THÔNG TIN THẬT"

// planted is markup that inputs carry; no page may let it through.
const planted = "<fuzz"

var linkAttribute = regexp.MustCompile(`(?i)\s(?:href|src|action|formaction)="([^"]*)"`)

// checkPage: the banner, no markup of strangers, and no way out except to where
// a registered client lives.
func (w *fuzzWorld) checkPage(t *testing.T, a answer) {
	t.Helper()
	switch {
	case !strings.Contains(a.body, bannerText):
		t.Fatalf("a page without the banner: %s", a.body)
	case strings.Contains(strings.ToLower(a.body), planted):
		t.Fatalf("markup of the request got into the page: %s", a.body)
	}
	for _, m := range linkAttribute.FindAllStringSubmatch(a.body, -1) {
		link := html.UnescapeString(m[1])
		own := link == "" || strings.HasPrefix(link, "?") || strings.HasPrefix(link, "#") ||
			strings.HasPrefix(link, "/") && !strings.HasPrefix(link, "//") && !strings.HasPrefix(link, `/\`)
		if !own && !strings.HasPrefix(link, registeredOrigin+"/") {
			t.Fatalf("the page leads to %q: %s", link, a.body)
		}
	}
}

const registeredOrigin = "http://127.0.0.1:7777"

// RFC 6749 §4.1.2.1: %x20-21 / %x23-5B / %x5D-7E.
var descriptionChars = regexp.MustCompile(`^[\x20-\x21\x23-\x5b\x5d-\x7e]*$`)

var errorCodes = []string{"invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type", "invalid_scope",
	"login_required", "consent_required", "request_not_supported", "request_uri_not_supported", "registration_not_supported"}

// response reads an authorization response from wherever the mode put it.
func (w *fuzzWorld) response(t *testing.T, a answer) (params url.Values, to string) {
	t.Helper()
	location := a.Header.Get("Location")
	if location == "" {
		form := regexp.MustCompile(`<form[^>]* action="(http[^"]*)"`).FindStringSubmatch(a.body)
		if form == nil {
			return nil, ""
		}
		params = url.Values{}
		for _, m := range hiddenField.FindAllStringSubmatch(a.body, -1) {
			params.Add(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
		}
		return params, html.UnescapeString(form[1])
	}
	for _, uri := range []string{callback + "?registered=query&", callback + "?", callback + "#", callback + "?registered=query#"} {
		if raw, ok := strings.CutPrefix(location, uri); ok {
			params, err := url.ParseQuery(raw)
			if err != nil {
				t.Fatalf("the answer cannot be read: %q", location)
			}
			return params, uri[:len(uri)-1]
		}
	}
	if !regexp.MustCompile(`^/login/[A-Za-z0-9_-]{22}$`).MatchString(location) {
		t.Fatalf("a redirect to %q", location)
	}
	return nil, ""
}

func FuzzAuthorize(f *testing.F) {
	w := newFuzzWorld(f)
	for _, q := range []url.Values{
		request("basic"), request("public"), request("asking", "response_mode", "form_post"), request("basic", "response_mode", "fragment", "prompt", "none"),
		request("basic", "prompt", "none", "state", "s & ="+planted+" é\x00"), request("basic", "response_mode", "form_post", "prompt", "none", "state", planted+`">`),
		request("basic", "redirect_uri", callback+"?registered=query", "max_age", "x", "state", "%"), request("basic", "redirect_uri", "http://evil.test/"+planted),
		request("basic", "redirect_uri", callback+"/../x"), request("basic", "redirect_uri", "http://127.0.0.1:7777@evil.test/callback"), request("nobody"),
		request("basic", "request", "e30."), request("basic", "request_uri", "urn:x"), request("basic", "scope", "openid "+planted+` "\`), request("basic", planted+`"\`, "1"),
		request("basic", "code_challenge", "x"), request("basic", "prompt", "none login"), request("basic", "max_age", "99999999999999999999"), request("public", "code_challenge", "-"),
		request("basic", "id_token_hint", "$HINT", "prompt", "none"), request("basic", "id_token_hint", "a.b.c"), request("basic", "login_hint", planted), request("basic", "ui_locales", "en "+planted),
	} {
		f.Add(q.Encode(), false)
		f.Add(q.Encode(), true)
	}
	f.Add(request("basic").Encode()+"&state=two", false)
	f.Add(request("basic").Encode()+"&redirect_uri=http://evil.test/", false)
	f.Add("client_id=basic;redirect_uri=%zz", false)
	f.Fuzz(func(t *testing.T, raw string, post bool) {
		raw = w.fill(raw)
		var a answer
		if post {
			a = w.serve(t, "POST", "/authorize", "", raw)
		} else {
			a = w.serve(t, "GET", "/authorize", raw, "")
		}
		sent, err := url.ParseQuery(raw)
		params, to := w.response(t, a)
		if params == nil {
			if a.Header.Get("Location") != "" && (err != nil || sent.Get("response_type") != "code" || len(sent["client_id"]) != 1) {
				t.Fatalf("a login began with %q", raw)
			}
			return
		}
		switch {
		case err != nil || len(sent["redirect_uri"]) != 1 || sent.Get("redirect_uri") != to || to != callback && to != callback+"?registered=query":
			t.Fatalf("%q was answered to %q", raw, to)
		case params.Has("code"):
			t.Fatalf("a code without a session: %v", params)
		case !slices.Contains(errorCodes, params.Get("error")) || !descriptionChars.MatchString(params.Get("error_description")):
			t.Fatalf("%v", params)
		case params.Get("iss") != w.url:
			t.Fatalf("iss is %q", params.Get("iss"))
		}
		// A state goes back as it came, or, repeated or too long, not at all.
		want := sent.Get("state")
		if len(sent["state"]) != 1 || len(want) > 4096 {
			want = ""
		}
		if got := params.Get("state"); got != want || want == "" && params.Has("state") {
			// A field of a form turns CR and LF into a pair; nobody sends them.
			if a.Header.Get("Location") != "" || !strings.ContainsAny(want, "\r\n\x00") {
				t.Fatalf("state %q came back as %q", want, got)
			}
		}
	})
}

func FuzzTokenForm(f *testing.F) {
	w := newFuzzWorld(f)
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("basic:basic-secret"))
	for _, form := range []url.Values{
		codeForm("a-code"), codeForm(strings.Repeat("x", 43)), codeForm(planted, "code_verifier", "short"), {"grant_type": {"refresh_token"}, "refresh_token": {"$ACCESS"}},
		{"grant_type": {"refresh_token"}, "refresh_token": {"x"}, "scope": {"openid x"}}, {"grant_type": {"client_credentials"}}, {"grant_type": {"password"}, "username": {an}, "password": {secret}},
		{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {"$HINT"}}, {"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {"$ACCESS"}},
		{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {"x"}}, {"client_assertion": {"$HINT"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "grant_type": {"authorization_code"}, "client_id": {"basic"}},
		codeForm("x", "client_id", "poster", "client_secret", "poster-secret"), codeForm("x", "client_id", "public"), {"token": {"$ACCESS"}}, {"token": {"$HINT"}, "token_type_hint": {"x"}}, {},
	} {
		for _, authorization := range []string{basic, "", "Bearer $ACCESS", "Basic !", "Basic " + base64.StdEncoding.EncodeToString([]byte("a%zz:b"))} {
			f.Add(form.Encode(), authorization, "application/x-www-form-urlencoded", false)
		}
		f.Add(form.Encode(), basic, "application/x-www-form-urlencoded; charset=utf-8", true)
	}
	f.Add("grant_type=authorization_code&grant_type=refresh_token", basic, "application/x-www-form-urlencoded", false)
	f.Add("%zz", basic, "multipart/form-data; boundary=x", false)
	f.Fuzz(func(t *testing.T, body, authorization, contentType string, introspect bool) {
		path := map[bool]string{false: "/oauth/token", true: "/oauth/introspect"}[introspect]
		a := w.serve(t, "POST", path, "", w.fill(body), "Authorization", w.fill(authorization), "Content-Type", contentType)
		if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Content-Type") != "application/json" {
			t.Fatalf("Cache-Control %q, Content-Type %q", a.Header.Get("Cache-Control"), a.Header.Get("Content-Type"))
		}
		var m struct {
			Error       string `json:"error"`
			Description string `json:"error_description"`
			Active      *bool  `json:"active"`
		}
		if err := json.Unmarshal([]byte(a.body), &m); err != nil {
			t.Fatalf("no JSON: %q", a.body)
		}
		switch {
		case a.StatusCode == http.StatusOK && introspect:
			if m.Active == nil || *m.Active && !strings.Contains(unquoted(body), "$ACCESS") {
				t.Fatalf("%q is known: %s", body, a.body)
			}
		case a.StatusCode == http.StatusOK:
			t.Fatalf("%q was good for tokens: %s", body, a.body)
		case a.StatusCode == http.StatusUnauthorized && (m.Error != "invalid_client" || !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Basic ")):
			t.Fatalf("401 with %s, WWW-Authenticate %q", a.body, a.Header.Get("WWW-Authenticate"))
		case !regexp.MustCompile(`^[a-z_]{5,40}$`).MatchString(m.Error) || !descriptionChars.MatchString(m.Description):
			t.Fatalf("%s: %s", a.Status, a.body)
		}
	})
}

func unquoted(s string) string {
	plain, err := url.QueryUnescape(s)
	if err != nil {
		return s
	}
	return plain
}

// A hint passes exactly when it decodes to what this provider signed.
func FuzzIDTokenHint(f *testing.F) {
	w := newFuzzWorld(f)
	valid := []string{w.idToken}
	for _, alg := range vneid.SigningAlgs()[1:] {
		w.client(vneid.ClientMetadata{ClientID: "alg-" + alg, Consent: "never", IDTokenSignedAlg: alg})
		code := w.browser().signIn(request("alg-"+alg), binh).param("code")
		valid = append(valid, w.token("alg-"+alg, codeForm(code)).json(f)["id_token"].(string))
	}
	clients := append([]string{"basic"}, vneid.SigningAlgs()[1:]...)
	for which := range valid {
		f.Add(uint8(which), uint16(0), uint16(0), "")
		f.Add(uint8(which), uint16(0), uint16(20), base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)))
		for _, at := range []uint16{3, 40, 150, 0xfff0, 0xffff} {
			f.Add(uint8(which), at, uint16(1), "A")
			f.Add(uint8(which), at, uint16(0), ".")
		}
	}
	f.Add(uint8(0), uint16(0), uint16(0xffff), `{"payload":"e30","signatures":[]}`)
	f.Fuzz(func(t *testing.T, which uint8, at, cut uint16, put string) {
		n := int(which) % len(valid)
		token := valid[n]
		from := int(at) % (len(token) + 1)
		if at > 0xff00 { // near the end, where the signature is
			from = max(0, len(token)-int(0xffff-at))
		}
		to := min(len(token), from+int(cut))
		mutated := token[:from] + put + token[to:]
		client := clients[n]
		if n > 0 {
			client = "alg-" + client
		}
		q := request(client, "prompt", "none", "response_mode", "query")
		q.Set("id_token_hint", mutated)
		params, _ := w.response(t, w.serve(t, "GET", "/authorize", q.Encode(), ""))
		switch params.Get("error") {
		case "login_required":
			if mutated != "" && !sameToken(mutated, token) {
				t.Fatalf("%s passes for a token of ours:\n%s", mutated, token)
			}
		case "invalid_request":
			if mutated == token {
				t.Fatal("a token of ours is refused")
			}
		default:
			if params != nil { // nil = a page: bytes that no form holds
				t.Fatalf("%v", params)
			}
		}
	})
}

// sameToken compares what two tokens say; base64 can say one thing in several
// ways (unused bits at the end).
func sameToken(a, b string) bool {
	as, bs := strings.Split(strings.TrimSpace(a), "."), strings.Split(b, ".")
	if len(as) != len(bs) {
		return false
	}
	for i := range as {
		x, err := base64.RawURLEncoding.DecodeString(as[i])
		y, err2 := base64.RawURLEncoding.DecodeString(bs[i])
		if err != nil || err2 != nil || !bytes.Equal(x, y) {
			return false
		}
	}
	return true
}

func FuzzEndSession(f *testing.F) {
	w := newFuzzWorld(f)
	const back = registeredOrigin + "/"
	for _, q := range []url.Values{
		{}, {"id_token_hint": {"$HINT"}}, {"id_token_hint": {"$HINT"}, "post_logout_redirect_uri": {back}, "state": {"s & " + planted}}, {"client_id": {"basic"}, "post_logout_redirect_uri": {back}, "state": {planted}},
		{"post_logout_redirect_uri": {"http://evil.test/" + planted}}, {"id_token_hint": {"$HINT"}, "post_logout_redirect_uri": {back + "../x"}}, {"id_token_hint": {"$HINT"}, "client_id": {"other"}, "post_logout_redirect_uri": {back}},
		{"id_token_hint": {"$HINT"}, "post_logout_redirect_uri": {"http://127.0.0.1:7777@evil.test/"}}, {"client_id": {"basic"}, "post_logout_redirect_uri": {"javascript:alert(1)"}}, {"state": {planted}, "logout_hint": {planted}, "ui_locales": {"en"}},
	} {
		for _, how := range []uint8{0, 1, 2, 3} {
			f.Add(q.Encode(), how)
		}
	}
	f.Add("client_id=basic&client_id=other&id_token_hint=%zz", uint8(0))
	f.Fuzz(func(t *testing.T, raw string, how uint8) {
		raw = w.fill(raw)
		var a answer
		switch how % 4 {
		case 0:
			a = w.serve(t, "GET", "/end_session", raw, "")
		case 1:
			a = w.serve(t, "POST", "/end_session", "", raw)
		case 2:
			a = w.serve(t, "POST", "/end_session", "", raw, "Sec-Fetch-Site", "cross-site")
		case 3: // with a session, which nothing but its own token ends without a question
			if strings.Contains(unquoted(raw), w.idToken) {
				t.Skip("this one may end it")
			}
			a = w.serve(t, "GET", "/end_session", raw, "", "Cookie", w.cookies())
			if a.Header.Get("Location") != "" || a.StatusCode == http.StatusOK && !strings.Contains(a.body, "/end_session/confirm") {
				t.Fatalf("%q ended the session: %s", raw, a.Status)
			}
		}
		location := a.Header.Get("Location")
		if location == "" {
			return
		}
		sent, _ := url.ParseQuery(raw)
		want := back
		if state := sent.Get("state"); state != "" {
			want += "?" + url.Values{"state": {state}}.Encode()
		}
		if location != want || sent.Get("post_logout_redirect_uri") != back || sent.Get("id_token_hint") == "" {
			t.Fatalf("%q leads to %q", raw, location)
		}
	})
}

func (w *fuzzWorld) cookies() string {
	return "idp_" + w.world.ID + "_session=" + w.session + "; idp_" + w.world.ID + "_browser=" + w.browserName
}

// Whoever has not the session's cookie is nobody, and a login belongs to the
// browser that began it.
func FuzzCookies(f *testing.F) {
	w := newFuzzWorld(f)
	name := "idp_" + w.world.ID
	for _, s := range []string{"", name + "_session=x; " + name + "_browser=" + strings.Repeat("x", 43), name + "_session=$SESSION", name + "_browser=$BROWSER", "session=$SESSION; browser=$BROWSER",
		name + "_session=$SESSIO; " + name + "_browser=$BROWSER", name + `_session="; ` + name + "_lang=" + planted, name + "_lang=en", name + "_session=$SESSION; " + name + "_session=$SESSION; " + name + "_browser=$BROWSER",
		"__Host-" + name + "_session=$SESSION; __Host-" + name + "_browser=$BROWSER", strings.Repeat("a=b;", 200), "=;=;\xff"} {
		f.Add(s)
	}
	if a := w.provided(f, w.cookies()); a.param("code") == "" {
		f.Fatalf("the cookies of the browser that signed in: %s %s", a.Status, a.Header.Get("Location"))
	}
	f.Fuzz(func(t *testing.T, cookie string) {
		cookie = w.fill(cookie)
		params, _ := w.response(t, w.serve(t, "GET", "/authorize", request("basic", "prompt", "none").Encode(), "", "Cookie", cookie))
		if params.Has("code") && !strings.Contains(cookie, w.session) {
			t.Fatalf("%q signs in", cookie)
		}
		for _, step := range []string{"", "/return"} {
			if a := w.serve(t, "GET", "/login/"+w.login+step, "", "", "Cookie", cookie); a.StatusCode != http.StatusForbidden {
				t.Fatalf("%q sees a login of another browser at %q: %s", cookie, step, a.Status)
			}
		}
		if a := w.serve(t, "GET", "/end_session", "", "", "Cookie", cookie); strings.Contains(a.body, "Nguyễn Văn An") && !strings.Contains(cookie, w.session) {
			t.Fatalf("%q learns who is signed in", cookie)
		}
	})
}

func (w *fuzzWorld) provided(f *testing.F, cookie string) answer {
	req, err := http.NewRequest("GET", w.url+"/authorize?"+request("basic", "prompt", "none").Encode(), nil)
	if err != nil {
		f.Fatal(err)
	}
	req.Header.Set("Cookie", cookie)
	return w.browser().do(req)
}

func FuzzUserinfo(f *testing.F) {
	w := newFuzzWorld(f)
	for _, s := range []string{"", "Bearer $ACCESS", "bearer  $ACCESS ", "Bearer", "Bearer x", "Basic $ACCESS", "Bearer $HINT", "Bearer $ACCESS, Bearer x", "DPoP $ACCESS", `Bearer "$ACCESS"`, "Bearer\t$ACCESS", "$ACCESS"} {
		f.Add(s, "", "", "")
		f.Add(s, "access_token=$ACCESS", "application/x-www-form-urlencoded", "")
		f.Add(s, "", "application/x-www-form-urlencoded; x", "access_token=$ACCESS")
	}
	f.Add("", "access_token=$ACCESS&access_token=x", "application/x-www-form-urlencoded", "")
	f.Add("", `{"access_token":"$ACCESS"}`, "application/json", "")
	f.Fuzz(func(t *testing.T, authorization, body, contentType, query string) {
		method := "GET"
		if body != "" {
			method = "POST"
		}
		header := []string{"Content-Type", contentType}
		if authorization != "" {
			header = append(header, "Authorization", w.fill(authorization))
		}
		a := w.serve(t, method, "/userinfo", w.fill(query), w.fill(body), header...)
		if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Content-Type") != "application/json" || !json.Valid([]byte(a.body)) {
			t.Fatalf("Cache-Control %q, Content-Type %q: %s", a.Header.Get("Cache-Control"), a.Header.Get("Content-Type"), a.body)
		}
		switch a.StatusCode {
		case http.StatusOK:
			scheme, token, _ := strings.Cut(w.fill(authorization), " ")
			inHeader := strings.EqualFold(scheme, "Bearer") && strings.TrimSpace(token) == w.access
			media, _, _ := mime.ParseMediaType(contentType)
			form, _ := url.ParseQuery(w.fill(body))
			inBody := method == "POST" && len(form["access_token"]) == 1 && form.Get("access_token") == w.access
			if inHeader && inBody && media == "application/x-www-form-urlencoded" || !inHeader && !inBody {
				t.Fatalf("userinfo for %q, body %q", authorization, body)
			}
		case http.StatusUnauthorized, http.StatusBadRequest:
			if !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer ") {
				t.Fatalf("%s without a challenge", a.Status)
			}
		default:
			t.Fatalf("%s: %s", a.Status, a.body)
		}
	})
}

// ownPath begins as no browser begins another host.
var ownPath = regexp.MustCompile(`^/([!-.0-\[\]-~][!-~]*)?$`)

// Without the cookies of the browser that began a login its pages show and do
// nothing, whatever the path.
func FuzzLoginPath(f *testing.F) {
	w := newFuzzWorld(f)
	for _, p := range []string{"$LOGIN", "$LOGIN/password", "$LOGIN/otp", "$LOGIN/resend", "$LOGIN/sharing", "$LOGIN/cancel", "$LOGIN/return", "$LOGIN/x", "..%2F%5Cevil.test/otp", "..%2F%2Fevil.test/otp", "%5C%5Cevil.test/x", "$LOGIN/../$LOGIN", "", "/", "%00", "%zz", "..%2f..", "'; DROP TABLE logins--", planted + ">", strings.Repeat("a", 300), "\xff", "é/otp"} {
		f.Add(p, "", false)
		f.Add(p, "username="+an+"&password="+url.QueryEscape(secret)+"&otp=123456&decision=share&agree=yes", true)
	}
	f.Add("$LOGIN/otp", "otp=%zz&otp=1", true)
	f.Fuzz(func(t *testing.T, path, body string, post bool) {
		target, query, _ := strings.Cut("/login/"+w.fill(path), "?")
		if _, err := url.ParseRequestURI(target); err != nil {
			t.Skip("no server reads such a request line")
		}
		method := "GET"
		if post {
			method = "POST"
		}
		a := w.serve(t, method, target, query, body)
		location := a.Header.Get("Location")
		if a.StatusCode == http.StatusOK || location != "" && !ownPath.MatchString(location) || len(a.Header["Set-Cookie"]) > 0 && strings.Contains(strings.Join(a.Header["Set-Cookie"], ""), "_session") {
			t.Fatalf("%s %q: %s, to %q, %q", method, path, a.Status, location, a.Header["Set-Cookie"])
		}
	})
}
