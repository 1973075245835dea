package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
)

type apiKey struct{ KID, Alg, State string }

func keysOf(t *testing.T, api, alg string) (list []apiKey) {
	t.Helper()
	var all []apiKey
	if resp := call(t, "GET", api+"/keys", "", &all); resp.StatusCode != 200 {
		t.Fatalf("GET /keys: %d", resp.StatusCode)
	}
	for _, k := range all {
		if k.Alg == alg {
			list = append(list, k)
		}
	}
	return list
}

func TestKeysAreListedWithWhatTheContractNamesAndNoMore(t *testing.T) {
	var list []map[string]any
	call(t, "GET", base(t)+"/keys", "", &list)
	if len(list) != 4 {
		t.Fatalf("%d keys", len(list))
	}
	for _, k := range list {
		if len(k) != 4 || k["kid"] == "" || k["alg"] == "" || k["state"] != "active" || !strings.HasSuffix(k["created_at"].(string), "Z") {
			t.Errorf("key %v", k)
		}
	}
}

func TestAKeyIsPublishedUsedAndRetiredOverTheAPI(t *testing.T) {
	api := base(t)
	rotate := func(stage string) *http.Response {
		var list json.RawMessage
		return call(t, "POST", api+"/keys/rotate", `{"alg":"RS256","stage":"`+stage+`"}`, &list)
	}
	refused := func(stage, says string) {
		t.Helper()
		var p problem
		if resp := call(t, "POST", api+"/keys/rotate", `{"alg":"RS256","stage":"`+stage+`"}`, &p); resp.StatusCode != 409 || !strings.Contains(p.Detail, says) ||
			!strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json") {
			t.Errorf("%s: %d %+v", stage, resp.StatusCode, p)
		}
	}
	refused("use", "publish")
	refused("retire", "publish")
	old := keysOf(t, api, "RS256")[0].KID
	for i, stage := range []string{"publish", "use", "retire"} {
		if resp := rotate(stage); resp.StatusCode != 200 {
			t.Fatalf("%s: %d", stage, resp.StatusCode)
		}
		want := [][2]string{{"active", "next"}, {"former", "active"}, {"retired", "active"}}[i]
		keys := keysOf(t, api, "RS256")
		if len(keys) != 2 {
			t.Fatalf("after %s: %v", stage, keys)
		}
		for _, k := range keys {
			if expected := map[bool]string{true: want[0], false: want[1]}[k.KID == old]; k.State != expected {
				t.Errorf("after %s %s is %s, want %s", stage, k.KID, k.State, expected)
			}
		}
		if stage == "publish" {
			refused("publish", "use")
		}
	}
	refused("retire", "publish")
	for _, alg := range []string{"ES256", "PS256", "EdDSA"} {
		if keys := keysOf(t, api, alg); len(keys) != 1 || keys[0].State != "active" {
			t.Errorf("%s: %v", alg, keys)
		}
	}
}

func TestARotationNamesAlgorithmAndStage(t *testing.T) {
	api := base(t)
	for body, fields := range map[string]string{
		`{}`:                                  "alg stage",
		`{"stage":"publish"}`:                 "alg",
		`{"alg":"","stage":"publish"}`:        "alg",
		`{"alg":"HS256","stage":"publish"}`:   "alg",
		`{"alg":"RS256"}`:                     "stage",
		`{"alg":"RS256","stage":"revoke"}`:    "stage",
		`{"alg":1,"stage":null}`:              "alg stage",
		`{"alg":"RS256","stage":"use","x":1}`: "x",
	} {
		var p problem
		if resp := call(t, "POST", api+"/keys/rotate", body, &p); resp.StatusCode != 400 || strings.Join(p.fields(), " ") != fields {
			t.Errorf("%s: %d %+v", body, resp.StatusCode, p)
		}
	}
	if resp := call(t, "GET", api+"/keys/rotate", "", nil); resp.StatusCode != 405 || resp.Header.Get("Allow") != "POST, OPTIONS" {
		t.Errorf("GET: %d, Allow %q", resp.StatusCode, resp.Header.Get("Allow"))
	}
}

func TestOfManyWhoPublishAtOnceOneDoes(t *testing.T) {
	api := base(t)
	codes := make([]int, 8)
	var all sync.WaitGroup
	for i := range codes {
		all.Go(func() {
			codes[i] = call(t, "POST", api+"/keys/rotate", `{"alg":"ES256","stage":"publish"}`, nil).StatusCode
		})
	}
	all.Wait()
	done := 0
	for _, code := range codes {
		if code == 200 {
			done++
		} else if code != 409 {
			t.Errorf("answer %d", code)
		}
	}
	if done != 1 || len(keysOf(t, api, "ES256")) != 2 {
		t.Errorf("%d published: %v", done, keysOf(t, api, "ES256"))
	}
}
