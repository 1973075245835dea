package api_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func importBody(t *testing.T, format, content string) string {
	t.Helper()
	raw, err := json.Marshal(map[string]string{"format": format, "content": content})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestPeopleAreImportedAndExportedAsFiles(t *testing.T) {
	api, other := base(t), base(t)
	var done struct{ Imported int }
	file := "\ufeffcccd;name;birthdate;gender;note\r\n038190000099;Lê Thị Thử;1990-01-02;female;=1+1\r\n038090000001;Người Khác;1990;male;\r\n"
	if resp := call(t, "POST", api+"/personas/import", importBody(t, "csv", file), &done); resp.StatusCode != 200 || done.Imported != 2 {
		t.Fatalf("%d %+v", resp.StatusCode, done)
	}
	var p struct{ Name, Note, Email string }
	call(t, "GET", api+"/personas/038090000001", "", &p)
	if p.Name != "Người Khác" || p.Email != "" {
		t.Errorf("not replaced: %+v", p)
	}
	for format, contentType := range map[string]string{"csv": "text/csv", "yaml": "application/yaml"} {
		resp, err := http.Get(api + "/personas/export?format=" + format)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), contentType) ||
			!strings.Contains(resp.Header.Get("Content-Disposition"), "personas."+format) || resp.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s: %d %v %v", format, resp.StatusCode, resp.Header, err)
		}
		if resp := call(t, "POST", other+"/personas/import", importBody(t, format, string(content)), &done); resp.StatusCode != 200 || done.Imported != 14 {
			t.Errorf("%s: %d %+v", format, resp.StatusCode, done)
		}
		var mine, theirs []any
		call(t, "GET", api+"/personas", "", &mine)
		call(t, "GET", other+"/personas", "", &theirs)
		if fmt.Sprint(mine) != fmt.Sprint(theirs) || len(mine) != 14 {
			t.Errorf("%s: %v\nbecame %v", format, mine, theirs)
		}
	}
}

func TestAFileWithAMistakeChangesNothingAndEveryMistakeIsTold(t *testing.T) {
	api := base(t)
	for _, c := range []struct {
		body, code string
		status     int
		fields     []string
	}{
		{importBody(t, "csv", "cccd,name,birthdate,gender\n038190000099,Lê Thị Thử,1990-01-02,female\n38190000098,,1990,f\n"), "invalid_file", 400, []string{"line 3: cccd", "line 3: name", "line 3: gender"}},
		{importBody(t, "yaml", "personas:\n- {cccd: \"038190000099\", name: A, birthdate: \"1990\", gender: female}\n- {cccd: \"1\", nme: A}\n"), "invalid_file", 400,
			[]string{"line 3: personas[1].nme", "line 3: personas[1].birthdate", "line 3: personas[1].cccd", "line 3: personas[1].gender", "line 3: personas[1].name"}},
		{importBody(t, "xlsx", "x"), "", 400, []string{"format"}},
		{`{}`, "", 400, []string{"format", "content"}},
		{`{"format": "csv", "content": 1}`, "", 400, []string{"content"}},
		{`{"format": "csv", "content": "", "mode": "x"}`, "", 400, []string{"mode"}},
	} {
		var p problem
		resp := call(t, "POST", api+"/personas/import", c.body, &p)
		if resp.StatusCode != c.status || p.Code != c.code || !slices.Equal(p.fields(), c.fields) {
			t.Errorf("%.80s: %d %+v, want %v", c.body, resp.StatusCode, p, c.fields)
		}
	}
	var list []any
	if call(t, "GET", api+"/personas", "", &list); len(list) != 13 {
		t.Errorf("%d people: something was imported", len(list))
	}
	var p problem
	if resp := call(t, "GET", api+"/personas/export?format=xlsx", "", &p); resp.StatusCode != 400 || !slices.Equal(p.fields(), []string{"format"}) {
		t.Errorf("%d %+v", resp.StatusCode, p)
	}
	for _, contentType := range []string{"text/csv", "text/plain", "application/yaml", ""} {
		req, _ := http.NewRequestWithContext(t.Context(), "POST", api+"/personas/import", strings.NewReader("cccd,name,birthdate,gender\n"))
		req.Header.Set("Content-Type", contentType)
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 415 {
			t.Errorf("%q: %d", contentType, resp.StatusCode)
		}
	}
	if resp := call(t, "POST", api+"/personas/import", `{"format":"csv","content":"`+strings.Repeat("x", 25<<20)+`"}`, &p); resp.StatusCode != 413 {
		t.Errorf("25 MiB: %d", resp.StatusCode)
	}
}
