package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// provocations are requests that are answered with what the description
// promises for that status, by operation and status. before prepares the world
// and returns names that the server chose, for the path and for fields of the
// body.
var provocations = map[string][]struct {
	code   string // of the problem, "" = none
	before func(d *described) map[string]string
	request
}{
	"createPersona 409": {{"", nil, request{body: object{"cccd": "038090000001", "name": "An", "birthdate": "1990", "gender": "male"}}}},
	"getPersona 404":    {{"", nil, request{path: nobody}}, {"", nil, request{path: map[string]string{"cccd": "x"}}}},
	"patchPersona 404":  {{"", nil, request{path: nobody, body: object{}}}},
	"deletePersona 404": {{"", nil, request{path: nobody}}},
	"exportPersonas 409": {{"", func(d *described) map[string]string {
		// More than a file may have: YAML of a megabyte.
		var csv strings.Builder
		csv.WriteString("cccd,name,birthdate,gender,note\n")
		for n := range 1_100 {
			fmt.Fprintf(&csv, "001090%06d,Nguyễn Văn Đông,1990,male,%s\n", n, strings.Repeat("x", 1000))
		}
		body, _ := json.Marshal(object{"format": "csv", "content": csv.String()})
		if resp := call(d.t, "POST", d.api+"/personas/import", string(body), nil); resp.StatusCode != 200 {
			d.t.Fatalf("import: %d", resp.StatusCode)
		}
		return nil
	}, request{query: map[string]string{"format": "yaml"}}}},
	"deleteSession 404": {{"", nil, request{}}},
	"getPhone 403":      {{"account_locked", nil, request{path: map[string]string{"cccd": "038188000004"}}}, {"account_not_activated", nil, request{path: map[string]string{"cccd": "038070000012"}}}},
	"getPhone 404":      {{"", nil, request{path: nobody}}},
	"patchPhone 404":    {{"", nil, request{path: nobody, body: object{"web_login": true}}}},

	"scan 403": {{"qr_level", fromPage, request{path: map[string]string{"cccd": "038095000003"}, body: object{}}}},
	"scan 404": {{"", nil, request{path: nobody, body: object{"code": "7K2M-Q9TX"}}}, {"qr_unknown", nil, request{body: object{"code": "7K2M-Q9TX"}}}},
	"scan 409": {{"qr_taken", func(d *described) map[string]string {
		page := d.page("my-portal")
		call(d.t, "POST", d.api+"/phones/038060000007/scan", fmt.Sprintf(`{"code":%q}`, page.code), nil)
		return map[string]string{"code": page.code}
	}, request{body: object{}}}},
	"scan 410": {{"qr_expired", func(d *described) map[string]string {
		code := fromPage(d)
		call(d.t, "POST", d.api+"/clock", `{"advance":"3m"}`, nil)
		return code
	}, request{body: object{}}}},
	"scan 429": {{"too_many_codes", func(d *described) map[string]string {
		for range 10 {
			call(d.t, "POST", d.api+"/phones/038090000001/scan", `{"code":"7K2M-Q9TX"}`, nil)
		}
		return nil
	}, request{body: object{"code": "7K2M-Q9TX"}}}},
	"confirm 403": {{"passcode_wrong", byAn, request{body: object{"passcode": "000000"}}}, {"passcode_needed", byAn, request{body: object{}}},
		{"qr_other_phone", byAn, request{path: map[string]string{"cccd": "038060000007"}, body: object{"passcode": "123456"}}}},
	"confirm 404": {{"", nil, request{path: nobody, body: object{"login": "x"}}}},
	"confirm 409": {{"qr_used", settledBy("confirm"), request{body: object{"passcode": "123456"}}}},
	"confirm 410": {{"qr_expired", late, request{body: object{"passcode": "123456"}}}},
	"confirm 429": {{"passcode_locked", func(d *described) map[string]string {
		login := d.scanned("038090000001")
		for range 5 {
			call(d.t, "POST", d.api+"/phones/038090000001/confirm", `{"login":"`+login+`","passcode":"000000"}`, nil)
		}
		return map[string]string{"login": login}
	}, request{body: object{"passcode": "123456"}}}},
	"refuse 403": {{"qr_other_phone", byAn, request{path: map[string]string{"cccd": "038060000007"}, body: object{}}}},
	"refuse 404": {{"", nil, request{path: nobody, body: object{"login": "x"}}}},
	"refuse 409": {{"qr_used", settledBy("refuse"), request{body: object{}}}},
	"refuse 410": {{"qr_expired", late, request{body: object{}}}},

	"getLogin 404":           {{"", nil, request{}}, {"", nil, request{path: map[string]string{"id": "none.md"}}}},
	"signIn 422":             {{"account_locked", nil, request{body: object{"client_id": "my-portal", "cccd": "038188000004"}}}},
	"createClient 409":       {{"", nil, request{body: object{"client_id": "my-portal", "redirect_uris": []string{"http://localhost/"}}}}},
	"getClient 404":          {{"", nil, request{path: map[string]string{"client_id": "none"}}}},
	"listClientFaults 404":   {{"", nil, request{path: map[string]string{"client_id": "none"}}}},
	"armClientFaults 404":    {{"", nil, request{path: map[string]string{"client_id": "none"}, body: object{"faults": []any{}}}}},
	"disarmClientFaults 404": {{"", nil, request{path: map[string]string{"client_id": "none"}}}},
	"getLint 404":            {{"", nil, request{path: map[string]string{"client_id": "none"}}}},
	"patchClient 404":        {{"", nil, request{path: map[string]string{"client_id": "none"}, body: object{}}}},
	"deleteClient 404":       {{"", nil, request{path: map[string]string{"client_id": "none"}}}},
	"rotateKey 409":          {{"", nil, request{body: object{"alg": "PS256", "stage": "use"}}}},
	"createWorld 409":        {{"", prepared["deleteWorld"], request{body: object{"id": "lop-10a"}}}},
	"deleteWorld 404":        {{"", nil, request{path: map[string]string{"id": "none"}}}},
	"deleteWorld 409":        {{"", nil, request{path: map[string]string{"id": "default"}}}},
}

// elsewhere are documented answers that a test of its own provokes.
var elsewhere = map[string]string{
	"signIn 429": "TestADriverThatIsFullSaysSo, TestEveryEndOfADrivenLoginHasItsStatus", "signIn 504": "TestEveryEndOfADrivenLoginHasItsStatus",
}

// wrongValues are values of fields that are refused with 400 although their
// type is right, and no enum of the description refuses them.
var wrongValues = map[string]map[string][]any{
	"createPersona": {"cccd": {"", "1", "38090000001", "003090000001", "038090 x"}, "name": {"", strings.Repeat("x", 201), "a\u0000b"}, "birthdate": {"", "15/03/1990", "1990-02-30", "1891"},
		"phone": {"1", "0243825000"}, "email": {"x", "a@b@c"}, "cmnd": {"1"}, "note": {strings.Repeat("x", 1001), "\u0000"}, "passcode": {"1", "12345a"},
		"password": {strings.Repeat("x", 1025)}, "account_level": {0, 3, 1.5}, "address": {object{"strt": "x"}, object{"street": 5}, object{"street": "a", "province": strings.Repeat("x", 201)}}},
	"patchPersona": {"cccd": {"038090000099", nil}, "name": {nil, ""}, "birthdate": {nil}, "gender": {nil, "female"}},
	"createClient": {"client_id": {"a b", strings.Repeat("x", 129), "ệ"}, "redirect_uris": {[]any{}, []any{"x"}, []any{"https://a.gov.vn/"}, []any{"http://169.254.169.254/"}, []any{"http://localhost/#x"}, []any{5}},
		"scope": {"openid admin"}, "backchannel_logout_uri": {"x"}, "jwks": {object{"keys": []any{}}}, "jwks_uri": {"ftp://x"}, "access_token_lifetime": {-1, 31622401, 1.5}, "min_account_level": {3, -1},
		"id_token_claims": {[]any{"salary"}}, "sector_identifier_uri": {"x"}, "client_name": {strings.Repeat("x", 201), "a\u202eb"}, "client_secret": {"mine"}},
	"patchClient":     {"client_id": {"other"}, "redirect_uris": {[]any{}, nil}, "require_pkce": {5}},
	"setClock":        {"advance": {"soon", "2000000h"}, "set": {"tomorrow", "9999-01-01T00:00:00Z", "0001-01-01T00:00:00Z"}, "reset": {false}},
	"patchPhone":      {"web_login": {nil}},
	"scan":            {"code": {"", "https://example.com/?c=1"}},
	"confirm":         {"passcode": {"12"}},
	"signIn":          {"client_id": {"none", ""}, "cccd": {"038090000999", "x", ""}, "params": {object{"client_id": "other"}, object{"state": 5}, object{"state": nil}}, "passcode": {"1"}, "number": {-1, 100}, "wait": {"61s", "soon"}, "password": {strings.Repeat("x", 1025)}},
	"armFaults":       {"faults": {nil, 5, []any{5}, []any{object{}}, []any{object{"id": "Z99"}}, []any{object{"id": "C01", "variant": "x"}}, []any{object{"id": "C01", "times": -1}}, []any{object{"id": "C01", "probability": 2}}, []any{object{"id": "C01", "colour": "red"}}, []any{object{"id": "C01", "persona": "x"}}}},
	"armClientFaults": {"faults": {[]any{object{"id": "C01", "client_id": "other"}}, []any{object{"id": "C01", "seed": -1}}}},
	"importPersonas":  {"content": {"nonsense", ""}},
	"createWorld":     {"id": {"A", "a b", strings.Repeat("a", 33), "default"}, "policy": {object{"otp_lifetme": "10s"}, object{"otp_lifetime": "long"}, 5}},
	"rotateKey":       {"alg": {"HS256"}, "stage": {"x"}},
}

// wrongQueries are values of query parameters that are refused.
var wrongQueries = map[string]map[string][]string{
	"listPersonas": {"q": {strings.Repeat("x", 201)}},
	"listSessions": {"cccd": {"1", "x"}},
	"listSMS":      {"to": {"123", "abc"}, "wait": {"61s", "61", "-1s", "soon"}, "after": {"none"}},
	"listLogins":   {"cccd": {"1", "038******001"}, "result": {"lost"}, "limit": {"0", "201", "x"}, "wait": {"61s"}, "client_id": {strings.Repeat("x", 201)}, "after": {strings.Repeat("x", 201)}},
	"listLint":     {"limit": {"0", "21", "x"}, "after": {strings.Repeat("x", 201)}}, "getLint": {"after": {strings.Repeat("x", 201)}},
	"listCanaries": {"client_id": {strings.Repeat("x", 201)}, "after": {"-1", "x"}},
	"getLogin":     {"steps": {"-1", "x"}, "wait": {"61s"}}, "exportPersonas": {"format": {"xml"}},
}

var nobody = map[string]string{"cccd": "038090000999"}

func fromPage(d *described) map[string]string {
	return map[string]string{"code": d.page("my-portal").code}
}

func byAn(d *described) map[string]string {
	return map[string]string{"login": d.scanned("038090000001")}
}

func late(d *described) map[string]string {
	login := byAn(d)
	call(d.t, "POST", d.api+"/clock", `{"advance":"3m"}`, nil)
	return login
}

func settledBy(step string) func(d *described) map[string]string {
	return func(d *described) map[string]string {
		login := byAn(d)
		body := map[string]string{"login": login["login"]}
		if step == "confirm" {
			body["passcode"] = "123456"
		}
		text, _ := json.Marshal(body)
		call(d.t, "POST", d.api+"/phones/038090000001/"+step, string(text), nil)
		return login
	}
}

// general are answers that every operation may give: TestTheDoorsAreTheSameEverywhere
// and TestBodiesThatAreWrongAreRefusedEverywhere provoke them.
var general = []string{"400", "401", "403", "413", "415", "421", "default"}

func TestEveryDocumentedErrorIsProvoked(t *testing.T) {
	d := describe(t)
	for _, o := range d.ops {
		for _, status := range slices.Sorted(maps.Keys(o.described["responses"].(object))) {
			key := o.id + " " + status
			inGeneral := slices.Contains(general, status) && asString(asObject(o.described["responses"].(object)[status])["$ref"]) != ""
			if status[0] == '2' || inGeneral || elsewhere[key] != "" {
				continue
			}
			if provocations[key] == nil {
				t.Errorf("%s may answer %s, says the description, and no test provokes it: add %q to provocations in refusals_test.go", o.id, status, key)
			}
			for _, p := range provocations[key] {
				t.Run(key+" "+p.code, func(t *testing.T) {
					d := &described{checker: d.checker, t: t, api: d.api, ops: d.ops, byID: d.byID}
					d.fresh()
					q := p.request
					if p.before != nil {
						chosen := p.before(d)
						if fields, ok := q.body.(object); ok {
							fields = maps.Clone(fields)
							for name, value := range chosen {
								if _, there := fields[name]; !there {
									fields[name] = value
								}
							}
							q.body = fields
						}
					}
					resp, raw := d.send(o, q)
					d.answered(o, resp, raw)
					var said problem
					_ = json.Unmarshal(raw, &said)
					if resp.Status[:3] != status || said.Code != p.code || said.Detail == "" {
						t.Errorf("%d %.500s", resp.StatusCode, raw)
					}
				})
			}
		}
	}
	for key := range provocations {
		id, status, _ := strings.Cut(key, " ")
		if asObject(d.byID[id].described["responses"])[status] == nil {
			t.Errorf("%s is provoked and not described", key)
		}
	}
}

// field is the part of a field's name before any index or member.
func field(name string) string { return regexp.MustCompile(`^\w+`).FindString(name) }

func TestBodiesThatAreWrongAreRefusedEverywhere(t *testing.T) {
	d := describe(t)
	d.fresh()
	for _, o := range d.ops {
		if o.body == nil {
			continue
		}
		example := object{}
		for _, name := range slices.Sorted(maps.Keys(o.examples)) {
			if e := o.examples[name].(object); len(e) > len(example) {
				example = e
			}
		}
		properties, required := d.fields(o.body)
		refused := func(what string, body any, want int, fields ...string) {
			t.Helper()
			resp, raw := d.send(o, request{body: body})
			var p problem
			_ = json.Unmarshal(raw, &p)
			if resp.StatusCode != want || p.Detail == "" {
				t.Errorf("%s, %s: %d, want %d: %.300s", o.id, what, resp.StatusCode, want, raw)
				return
			}
			d.answered(o, resp, raw)
			for _, f := range fields {
				if !slices.ContainsFunc(p.fields(), func(said string) bool {
					return field(said) == f || strings.HasPrefix(said, "line") && o.id == "importPersonas"
				}) {
					t.Errorf("%s, %s: errors name %v, not %s", o.id, what, p.fields(), f)
				}
			}
		}
		with := func(name string, value any) object {
			changed := maps.Clone(example)
			changed[name] = value
			return changed
		}
		for _, body := range []string{"[]", "null", `"x"`, "{", `{"a":1`, `{}{}`, "{} x", "{]", "\xef\xbb\xbf{}", "{\"a\":\"\xff\"}"} {
			refused(fmt.Sprintf("the body %q", body), body, 400)
		}
		if o.body["required"] != nil || len(required) > 0 {
			refused("an empty body", "", 400)
			refused("nothing", "{}", 400, required...)
		}
		most := 64 << 10
		if o.id == "importPersonas" {
			most = 24 << 20
		}
		refused("a body that is too long", `{"`+strings.Repeat("x", most)+`":1}`, 413)
		if o.id == "reset" {
			refused("any field", `{"x":1}`, 400)
			continue
		}
		refused("an unknown field", with("nonsense_field", 1), 400, "nonsense_field")
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			value, _ := json.Marshal(example[name])
			rest := maps.Clone(example)
			delete(rest, name)
			text, _ := json.Marshal(rest)
			twice := strings.TrimSuffix(string(text), "}")
			if len(rest) > 0 {
				twice += ","
			}
			refused(name+" twice", fmt.Sprintf(`%s%q:%s,%q:%s}`, twice, name, value, name, value), 400, name)
			for _, wrong := range d.wrongTypes(properties[name].(object)) {
				refused(fmt.Sprintf("%s = %v", name, wrong), with(name, wrong), 400, name)
			}
		}
		for name, values := range wrongValues[o.id] {
			for _, value := range values {
				shown := fmt.Sprintf("%s = %.40v", name, value)
				refused(shown, with(name, value), 400, name)
			}
		}
		if near := nearest(properties); near != "" {
			_, raw := d.send(o, request{body: with(near, "x")})
			if !bytes.Contains(raw, []byte("did you mean")) {
				t.Errorf("%s, %s: the nearest name is not offered: %.300s", o.id, near, raw)
			}
		}
	}
}

// nearest is a name that somebody mistyped.
func nearest(properties object) string {
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if len(name) > 4 {
			return name[:len(name)-1]
		}
	}
	return ""
}

// fields are the properties of a body's schema, and those it needs.
func (c checker) fields(schema object) (properties object, required []string) {
	schema = c.whole(schema)
	properties = asObject(schema["properties"])
	for _, name := range asList(schema["required"]) {
		required = append(required, name.(string))
	}
	for _, part := range asList(schema["allOf"]) {
		more, _ := c.fields(part.(object))
		properties = more
	}
	return properties, required
}

// wrongTypes are values that a schema does not take.
func (c checker) wrongTypes(schema object) (values []any) {
	for _, v := range []any{true, 5.0, 1.5, "nonsense", []any{5.0}, object{"x": 1.0}, strings.Repeat("x", 3000)} {
		switch v := v.(type) {
		case string:
			if schema["enum"] == nil && len(c.check("", schema, "")) == 0 { // free text: wrongValues knows
				continue
			}
			if len(v) > 1000 && schema["enum"] == nil {
				continue
			}
		}
		if len(c.check("", schema, v)) > 0 {
			values = append(values, v)
		}
	}
	return values
}

func TestQueriesThatAreWrongAreRefused(t *testing.T) {
	d := describe(t)
	d.fresh()
	for id, names := range wrongQueries {
		o := d.byID[id]
		all := map[string]string{}
		for name, values := range names {
			for _, value := range values {
				resp, raw := d.send(o, request{query: map[string]string{name: value}})
				var p problem
				_ = json.Unmarshal(raw, &p)
				if resp.StatusCode != 400 || !slices.Equal(p.fields(), []string{name}) {
					t.Errorf("%s ?%s=%.40s: %d %s", id, name, value, resp.StatusCode, raw)
					continue
				}
				d.answered(o, resp, raw)
				all[name] = value
			}
		}
		if len(all) > 1 {
			delete(all, "after") // it is looked for last
		}
		resp, raw := d.send(o, request{query: all})
		var p problem
		_ = json.Unmarshal(raw, &p)
		if got := slices.Sorted(slices.Values(p.fields())); resp.StatusCode != 400 || len(all) > 0 && !slices.Equal(got, slices.Sorted(maps.Keys(all))) {
			t.Errorf("%s, all wrong at once: %d %s", id, resp.StatusCode, raw)
		}
	}
	for _, o := range d.ops {
		for _, par := range o.parameters {
			if par["in"] == "query" && wrongQueries[o.id][asString(par["name"])] == nil && (par["name"] != "login") {
				t.Errorf("%s: no test asks with a wrong %s: add it to wrongQueries", o.id, par["name"])
			}
		}
	}
}

func TestTheDoorsAreTheSameEverywhere(t *testing.T) {
	d := describe(t)
	for _, o := range d.ops {
		request := func() *http.Request {
			address := o.path
			for _, par := range o.parameters {
				if par["in"] == "path" {
					address = strings.ReplaceAll(address, "{"+asString(par["name"])+"}", asString(par["example"]))
				}
			}
			req, err := http.NewRequestWithContext(t.Context(), o.method, d.api+address, strings.NewReader(""))
			if err != nil {
				t.Fatal(err)
			}
			if o.method != "GET" {
				req.Header.Set("Content-Type", "application/json")
			}
			return req
		}
		refused := func(want int, change func(*http.Request)) {
			t.Helper()
			req := request()
			change(req)
			resp, raw := d.do(req)
			if resp.StatusCode != want {
				t.Errorf("%s: %d, want %d: %.300s", o.id, resp.StatusCode, want, raw)
				return
			}
			d.answered(o, resp, raw)
		}
		refused(421, func(r *http.Request) { r.Host = "evil.example" })
		refused(403, func(r *http.Request) { r.Header.Set("X-Forwarded-For", "127.0.0.1") })
		refused(403, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
		if o.method != "GET" {
			for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"} {
				refused(415, func(r *http.Request) {
					if r.Header.Set("Content-Type", kind); kind == "" {
						r.Header.Del("Content-Type")
					}
				})
			}
			continue
		}
		get, raw := d.do(request())
		head := request()
		head.Method = "HEAD"
		resp, body := d.do(head)
		if resp.StatusCode != get.StatusCode || len(body) > 0 || get.StatusCode == 200 && o.id != "getClock" && resp.ContentLength != int64(len(raw)) {
			t.Errorf("HEAD %s: %d with %d bytes, Content-Length %d; GET %d with %d", o.path, resp.StatusCode, len(body), resp.ContentLength, get.StatusCode, len(raw))
		}
		if get.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("GET %s: CORS", o.path)
		}
	}
}

func TestATokenIsAskedForEverywhereWhereThereIsOne(t *testing.T) {
	d := describe(t)
	d.api, _ = start(t, token)
	for _, o := range d.ops {
		for _, header := range []string{"", "Bearer nonsense", "Basic " + token} {
			q, err := http.NewRequestWithContext(t.Context(), o.method, d.api+strings.NewReplacer("{", "", "}", "").Replace(o.path), nil)
			if err != nil {
				t.Fatal(err)
			}
			q.Header.Set("Content-Type", "application/json")
			if header != "" {
				q.Header.Set("Authorization", header)
			}
			resp, raw := d.do(q)
			if resp.StatusCode != 401 || resp.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s with %q: %d %.200s", o.id, header, resp.StatusCode, raw)
				continue
			}
			d.answered(o, resp, raw)
		}
	}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", d.api+"/clock", nil)
	req.Header.Set("Authorization", "Bearer "+token)
	if resp, raw := d.do(req); resp.StatusCode != 200 {
		t.Errorf("with the token: %d %s", resp.StatusCode, raw)
	}
}

func TestOtherMethodsAndAddressesSayWhatThereIs(t *testing.T) {
	d := describe(t)
	takes := map[string][]string{} // by path, with a wildcard filled in
	for _, o := range d.ops {
		for _, other := range d.ops { // a wildcard takes fixed names too
			pattern := regexp.MustCompile("^" + regexp.MustCompile(`\{\w+\}`).ReplaceAllString(other.path, "[^/]+") + "$")
			if pattern.MatchString(o.path) && !slices.Contains(takes[o.path], other.method) {
				takes[o.path] = append(takes[o.path], other.method)
			}
		}
	}
	for path, methods := range takes {
		if slices.Contains(methods, "GET") {
			methods = append(methods, "HEAD")
		}
		methods = append(methods, "OPTIONS")
		slices.Sort(methods)
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} {
			if slices.Contains(methods, method) && method != "OPTIONS" {
				continue
			}
			req, err := http.NewRequestWithContext(t.Context(), method, d.api+strings.NewReplacer("{", "", "}", "").Replace(path), nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			resp, raw := d.do(req)
			allow := strings.Split(resp.Header.Get("Allow"), ", ")
			slices.Sort(allow)
			want := 405
			if method == "OPTIONS" {
				want = 204
			}
			if resp.StatusCode != want || !slices.Equal(allow, methods) || want == 204 && len(raw) > 0 {
				t.Errorf("%s %s: %d, Allow %v, want %v: %.200s", method, path, resp.StatusCode, allow, methods, raw)
			}
		}
		for _, wrong := range []string{path + "/", path + "/x/y", strings.ToUpper(path)} {
			var p problem
			resp := call(t, "GET", d.api+strings.NewReplacer("{", "", "}", "").Replace(wrong), "", &p)
			if resp.StatusCode != 404 || !strings.Contains(p.Detail, "GET /api/v1/sms?to=&login=&after=&wait=") {
				t.Errorf("GET %s: %d %s", wrong, resp.StatusCode, p.Detail)
			}
		}
	}
}

func TestALongPollAnswersWhenSomethingArrives(t *testing.T) {
	d := describe(t)
	var first []struct{ ID, Login string }
	d.signedIn()
	call(t, "GET", d.api+"/sms?to=0950000001", "", &first)
	type answer struct {
		list []struct{ ID, Login string }
		took time.Duration
	}
	waits := map[string]string{"after": first[0].ID, "login": ""}
	page := d.page("my-portal")
	waits["login"] = page.login
	got := make(chan answer, len(waits))
	for name, value := range waits {
		go func() {
			begin := time.Now()
			var a answer
			call(t, "GET", d.api+"/sms?to=0950000001&wait=30s&"+name+"="+url.QueryEscape(value), "", &a.list)
			a.took = time.Since(begin)
			got <- a
		}()
	}
	page.post("/password", url.Values{"username": {"038090000001"}, "password": {"Sandbox@2024"}})
	for range waits {
		if a := <-got; len(a.list) != 1 || a.list[0].Login != page.login || a.took > 20*time.Second {
			t.Errorf("%+v", a)
		}
	}
}
