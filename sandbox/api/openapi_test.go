package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// operation is one method of one path of the description.
type operation struct {
	id, method, path string
	described        object
	parameters       []object
	body             object // schema of the request body, nil = there is none
	examples         map[string]any
}

// described is a running sandbox with its description.
type described struct {
	checker
	t    *testing.T
	api  string
	ops  []operation
	byID map[string]operation
}

func describe(t *testing.T) *described {
	t.Helper()
	d := &described{t: t, api: base(t), byID: map[string]operation{}}
	if resp := call(t, "GET", d.api+"/openapi.json", "", &d.doc); resp.StatusCode != 200 {
		t.Fatalf("the description: %d", resp.StatusCode)
	}
	paths := d.doc["paths"].(object)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item := paths[path].(object)
		for _, method := range slices.Sorted(maps.Keys(item)) {
			if method == "parameters" {
				continue
			}
			o := operation{method: strings.ToUpper(method), path: path, described: item[method].(object)}
			o.id, _ = o.described["operationId"].(string)
			for _, list := range []any{item["parameters"], o.described["parameters"]} {
				for _, p := range asList(list) {
					o.parameters = append(o.parameters, d.whole(p))
				}
			}
			if body, ok := o.described["requestBody"].(object); ok {
				media := body["content"].(object)["application/json"].(object)
				o.body, o.examples = media["schema"].(object), map[string]any{}
				for name, example := range asObject(media["examples"]) {
					o.examples[name] = example.(object)["value"]
				}
			}
			d.ops = append(d.ops, o)
			d.byID[o.id] = o
		}
	}
	return d
}

func asList(v any) []any    { list, _ := v.([]any); return list }
func asObject(v any) object { o, _ := v.(object); return o }
func asString(v any) string { s, _ := v.(string); return s }

func TestEveryRouteIsDescribedAndNothingElse(t *testing.T) {
	d := describe(t)
	var p problem
	call(t, "GET", d.api+"/nothing/of/this/name", "", &p) // lists every route
	_, list, _ := strings.Cut(p.Detail, "there is ")
	routes := map[string][]string{} // "GET /sms" -> query parameters
	for route := range strings.SplitSeq(list, ", ") {
		method, path, _ := strings.Cut(route, " ")
		path, query, _ := strings.Cut(strings.TrimPrefix(path, "/api/v1"), "?")
		routes[method+" "+path] = regexp.MustCompile(`\w+`).FindAllString(query, -1)
	}
	for _, o := range d.ops {
		query, there := routes[o.method+" "+o.path]
		if !there {
			t.Errorf("%s %s is described, and there is no such route: remove it from sandbox/api/openapi", o.method, o.path)
			continue
		}
		delete(routes, o.method+" "+o.path)
		var said, inPath []string
		for _, par := range o.parameters {
			switch par["in"] {
			case "query":
				said = append(said, asString(par["name"]))
			case "path":
				inPath = append(inPath, "{"+asString(par["name"])+"}")
				if par["required"] != true || par["example"] == nil {
					t.Errorf("%s %s: the path parameter %s needs required: true and an example", o.method, o.path, par["name"])
				}
			}
		}
		if !slices.Equal(said, query) {
			t.Errorf("%s %s: the route takes the query parameters %v, described are %v (in this order)", o.method, o.path, query, said)
		}
		if want := regexp.MustCompile(`\{\w+\}`).FindAllString(o.path, -1); !slices.Equal(want, inPath) {
			t.Errorf("%s %s: path parameters %v are described", o.method, o.path, inPath)
		}
	}
	for route := range routes {
		t.Errorf("%s is not described: add it to a file of sandbox/api/openapi (the one of its subject; copy a neighbour), with an example of its request", route)
	}
}

func TestTheDocumentNamesEveryRoute(t *testing.T) {
	raw, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range describe(t).ops {
		named := regexp.MustCompile("`" + o.method + " (/api/v1)?" + regexp.QuoteMeta(o.path) + "[`?]")
		if !named.Match(raw) {
			t.Errorf("docs/api.md does not mention `%s %s`", o.method, o.path)
		}
	}
}

func TestTheDescriptionIsWellFormed(t *testing.T) {
	d := describe(t)
	if d.doc["openapi"] != "3.1.0" || asString(asObject(d.doc["info"])["title"]) == "" || asString(asObject(asList(d.doc["servers"])[0])["url"]) != "/api/v1" {
		t.Errorf("openapi %v, info %v, servers %v", d.doc["openapi"], d.doc["info"], d.doc["servers"])
	}
	var there struct{ Servers []struct{ URL string } }
	call(t, "POST", d.api+"/worlds", `{"id":"lop-10a"}`, nil)
	if call(t, "GET", d.api+"/w/lop-10a/openapi.json", "", &there); there.Servers[0].URL != "/api/v1/w/lop-10a" {
		t.Errorf("the server of a world is %v", there.Servers)
	}
	used := map[string]bool{}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case object:
			if ref, ok := v["$ref"].(string); ok {
				used[ref] = true
				if d.resolve(ref) == nil {
					t.Errorf("%s: %s leads nowhere", at, ref)
				}
			}
			for name, member := range v {
				if member == nil && !strings.Contains(at, "/examples/") {
					t.Errorf("%s/%s is empty: a comma in a text needs quotes around the text", at, name)
				}
				walk(at+"/"+name, member)
			}
		case []any:
			for _, item := range v {
				walk(at+"[]", item)
			}
		}
	}
	walk("#", map[string]any(d.doc))
	for kind, parts := range d.doc["components"].(object) {
		for name := range parts.(object) {
			if kind != "securitySchemes" && !used["#/components/"+kind+"/"+name] {
				t.Errorf("nothing refers to components/%s/%s", kind, name)
			}
		}
	}
	if len(d.byID) != len(d.ops) {
		t.Error("an operationId is missing or there twice")
	}
	for _, o := range d.ops {
		if asString(o.described["summary"]) == "" || o.id == "" {
			t.Errorf("%s %s needs an operationId and a summary", o.method, o.path)
		}
		success := 0
		for status, answer := range o.described["responses"].(object) {
			if asString(d.whole(answer)["description"]) == "" {
				t.Errorf("%s %s: the answer %s has no description", o.method, o.path, status)
			}
			if status[0] == '2' {
				success++
			}
		}
		if success != 1 {
			t.Errorf("%s %s: %d kinds of success", o.method, o.path, success)
		}
		if o.body != nil && len(o.examples) == 0 {
			t.Errorf("%s %s: its body has no example", o.method, o.path)
		}
		for name, example := range o.examples {
			for _, wrong := range d.check("example "+name, o.body, example) {
				t.Errorf("%s %s: %s", o.method, o.path, wrong)
			}
		}
	}
}

// request is one call of an operation.
type request struct {
	path, query map[string]string // what differs from the examples of the parameters
	body        any               // nil = none; a string goes out as it is
}

// send makes a call. Query parameters have their examples unless q says
// otherwise.
func (d *described) send(o operation, q request) (*http.Response, []byte) {
	d.t.Helper()
	address, query := o.path, url.Values{}
	for _, par := range o.parameters {
		name, example := asString(par["name"]), par["example"]
		if value, ok := q.path[name]; ok && par["in"] == "path" {
			example = value
		}
		if value, ok := q.query[name]; ok && par["in"] == "query" {
			example = value
		}
		switch {
		case par["in"] == "path":
			address = strings.ReplaceAll(address, "{"+name+"}", url.PathEscape(example.(string)))
		case example != nil:
			text, _ := json.Marshal(example)
			query.Set(name, strings.Trim(string(text), `"`))
		}
	}
	var body []byte
	switch b := q.body.(type) {
	case nil:
	case string:
		body = []byte(b)
	default:
		body, _ = json.Marshal(b)
	}
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(d.t.Context(), o.method, d.api+address, bytes.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	if o.method != "GET" {
		req.Header.Set("Content-Type", "application/json")
	}
	return d.do(req)
}

func (d *described) do(req *http.Request) (*http.Response, []byte) {
	d.t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return resp, raw
}

// answered holds an answer against the description.
func (d *described) answered(o operation, resp *http.Response, raw []byte) {
	d.t.Helper()
	status := resp.Status[:3]
	answer := d.whole(o.described["responses"].(object)[status])
	if answer == nil {
		d.t.Errorf("%s: the answer %s is not described: add it to the responses in sandbox/api/openapi: %.300s", o.id, status, raw)
		return
	}
	content, kind := asObject(answer["content"]), resp.Header.Get("Content-Type")
	if content == nil {
		if len(raw) > 0 {
			d.t.Errorf("%s: an answer %s has no body, here: %.300s", o.id, status, raw)
		}
		return
	}
	kind, _, _ = mime.ParseMediaType(kind)
	media := asObject(content[kind])
	if media == nil {
		d.t.Errorf("%s: an answer %s of the type %s is not described", o.id, status, kind)
		return
	}
	var value any = string(raw)
	if strings.HasSuffix(kind, "json") {
		if err := json.Unmarshal(raw, &value); err != nil {
			d.t.Errorf("%s: %v: %.300s", o.id, err, raw)
			return
		}
	}
	for _, wrong := range d.check("answer "+status, media["schema"].(object), value) {
		d.t.Errorf("%s: %s", o.id, wrong)
	}
	for name := range asObject(answer["headers"]) {
		if resp.Header.Get(name) == "" {
			d.t.Errorf("%s: the answer %s has no header %s", o.id, status, name)
		}
	}
	if resp.Header.Get("Cache-Control") != "no-store" {
		d.t.Errorf("%s: the answer %s may be cached", o.id, status)
	}
}

// prepared is what an example needs: names that the server chose, for the path
// and for fields of the body.
func armed(d *described) map[string]string {
	call(d.t, "PUT", d.api+"/clients/my-portal/faults", `{"faults":[{"id":"C01"}]}`, nil)
	return nil
}

var prepared = map[string]func(d *described) map[string]string{
	"getLogin": func(d *described) map[string]string { return map[string]string{"id": d.signedIn().Login} },
	"deleteSession": func(d *described) map[string]string {
		d.signedIn()
		var list []struct{ SID string }
		call(d.t, "GET", d.api+"/sessions", "", &list)
		return map[string]string{"sid": list[0].SID}
	},
	"listSessions": func(d *described) map[string]string { d.signedIn(); return nil },
	"listLogins":   func(d *described) map[string]string { d.signedIn(); return nil },
	"listCanaries": func(d *described) map[string]string {
		var worlds []struct{ Attacker string }
		call(d.t, "GET", d.api+"/worlds", "", &worlds)
		call(d.t, "GET", worlds[0].Attacker+"/canary/D15/jku", "", nil)
		return nil
	},
	"listClientFaults": armed,
	"listArmedFaults":  armed,
	"listLint":         func(d *described) map[string]string { d.signedIn(); return nil },
	"getLint":          func(d *described) map[string]string { d.signedIn(); return nil },
	"listSMS":          func(d *described) map[string]string { d.signedIn(); return nil },
	"getPhone": func(d *described) map[string]string {
		call(d.t, "PATCH", d.api+"/clients/my-portal", `{"second_factor":"app_code"}`, nil)
		call(d.t, "GET", d.api+"/phones/038090000001", "", nil)
		d.signedIn()
		page := d.page("my-portal")
		page.post("/password", url.Values{"username": {"038090000001"}, "password": {"Sandbox@2024"}})
		return nil
	},
	"scan":    func(d *described) map[string]string { return map[string]string{"code": d.page("my-portal").code} },
	"confirm": func(d *described) map[string]string { return map[string]string{"login": d.scanned("038090000001")} },
	"refuse":  func(d *described) map[string]string { return map[string]string{"login": d.scanned("038090000001")} },
	"deleteWorld": func(d *described) map[string]string {
		call(d.t, "POST", d.api+"/worlds", `{"id":"lop-10a"}`, nil)
		return nil
	},
}

// signedIn is a login by password that came to its end.
func (d *described) signedIn() signedIn {
	d.t.Helper()
	_, done := must(d.t, d.api, `{"client_id":"my-portal","cccd":"038090000001"}`)
	return done
}

func TestEveryExampleIsAnsweredAsDescribed(t *testing.T) {
	d := describe(t)
	for _, o := range d.ops {
		examples := o.examples
		if examples == nil {
			examples = map[string]any{"": nil}
		}
		for name, example := range examples {
			t.Run(strings.TrimSuffix(o.id+"/"+name, "/"), func(t *testing.T) {
				d := &described{checker: d.checker, t: t, api: d.api, ops: d.ops, byID: d.byID}
				d.fresh()
				q := request{body: example}
				if prepare := prepared[o.id]; prepare != nil {
					q.path = prepare(d)
					if fields, ok := example.(object); ok {
						fields = maps.Clone(fields)
						for field, value := range q.path {
							fields[field] = value
						}
						q.body = fields
					}
				}
				resp, raw := d.send(o, q)
				if resp.StatusCode >= 300 {
					t.Fatalf("%d: %s", resp.StatusCode, raw)
				}
				d.answered(o, resp, raw)
				if list, ok := decoded(raw).([]any); ok && len(list) == 0 {
					t.Error("an empty list shows nothing: prepare something")
				}
			})
		}
	}
}

func decoded(raw []byte) (v any) {
	if json.Unmarshal(raw, &v) != nil {
		return nil
	}
	return v
}

// fresh takes the world back to its seed, and removes the others.
func (d *described) fresh() {
	d.t.Helper()
	call(d.t, "POST", d.api+"/reset", "", nil)
	var worlds []struct{ ID string }
	call(d.t, "GET", d.api+"/worlds", "", &worlds)
	for _, w := range worlds {
		if w.ID != "default" {
			call(d.t, "DELETE", d.api+"/worlds/"+w.ID, "", nil)
		}
	}
}
