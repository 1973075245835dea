//go:build e2e

package e2e_test

import (
	"net/http"
	"strings"
	"testing"
)

// within makes a world in this sandbox and is what its people and programs see of it. The programs are w's.
func (w *world) within(t *testing.T, body any) *world {
	t.Helper()
	var made struct{ ID, Issuer, API, Token string }
	w.api(t, http.StatusCreated, "POST", "/worlds", body, &made)
	if made.Issuer != w.Issuer+"/w/"+made.ID || made.API != w.Sandbox+"/api/v1/w/"+made.ID {
		t.Fatalf("world %s is at %s and %s", made.ID, made.Issuer, made.API)
	}
	w.secret("a world's token", made.Token)
	return w.seen(made.ID)
}

// seen is another world of this sandbox.
func (w *world) seen(id string) *world {
	path := "/w/" + id
	return &world{Issuer: w.Issuer + path, Sandbox: w.Sandbox + path, path: path, dir: w.dir, listener: w.listener, log: w.log,
		http: w.http, env: w.env, secrets: map[string]string{}, flagged: map[string]struct{}{}}
}

func TestThePortalSignsInAgainstTheIssuerOfAWorld(t *testing.T) {
	t.Parallel()
	outer := newWorld(t)
	w := outer.within(t, map[string]string{"id": "lop-12a"})
	w.startPortal(t)
	t.Cleanup(func() {
		w.portal.terminate(t)
		w.checkLogs(t)
	})

	v := w.visitor(t)
	v.signInAtPortal(binh)
	v.wantSignedIn(binh)
	v.Click("Đăng xuất")
	v.wantSignedOut()
	req, err := http.NewRequest("POST", w.Sandbox+"/dancu/v1/match", strings.NewReader(`{"cccd": "`+binh.CCCD+`", "name": "`+binh.Name+`", "birthdate": "1990-07-02"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer thanhhoa-dancu-key")
	if res, raw := w.do(t, req); res.StatusCode != http.StatusOK || !strings.Contains(string(raw), `"match":true`) {
		t.Errorf("the population database of the world: %s %s", res.Status, raw)
	}
	if n := len(outer.inbox(t, binh.Phone)); n != 0 {
		t.Errorf("%d messages in the default world", n)
	}

	// Its pages lead nowhere else: every address on them is the world's or another party's.
	for _, address := range []string{w.Sandbox + "/", w.Sandbox + "/sms", w.Sandbox + "/phone", w.Sandbox + "/phone/people", w.Issuer + "/",
		w.Sandbox + "/console", w.Sandbox + "/console/personas", w.Sandbox + "/console/phones", w.Sandbox + "/console/clients", w.Sandbox + "/console/sessions",
		w.Sandbox + "/console/sms", w.Sandbox + "/console/logins", w.Sandbox + "/console/keys", w.Sandbox + "/console/clock", w.Sandbox + "/console/config", w.Sandbox + "/console/health"} {
		page := w.visitor(t).Open(address)
		for _, e := range page.elements {
			for _, name := range []string{"href", "action", "src"} {
				to := e.attrs[name]
				if strings.HasPrefix(to, "/") && !strings.HasPrefix(to, w.path+"/") && to != w.path ||
					strings.HasPrefix(to, outer.Issuer) && !strings.HasPrefix(to, w.Issuer) ||
					strings.HasPrefix(to, outer.Sandbox) && !strings.HasPrefix(to, w.Sandbox) {
					t.Errorf("%s: <%s %s=%q> leads out of the world", address, e.tag, name, to)
				}
			}
		}
	}
}

func TestALoginInAWorldThatIsDeletedEndsWithAPageThatSaysSo(t *testing.T) {
	t.Parallel()
	outer := newWorld(t)
	w := outer.within(t, map[string]any{})
	v := w.visitor(t)
	v.Open(w.request(myPortal).URL())
	outer.api(t, http.StatusNoContent, "DELETE", "/worlds/"+strings.TrimPrefix(w.path, "/w/"), struct{}{}, nil)
	v.PasswordStep(an.CCCD, password)
	if v.at.Status != http.StatusNotFound || !strings.Contains(v.at.Text(), strings.TrimPrefix(w.path, "/w/")) {
		t.Errorf("after the deletion: %s", v.describe())
	}
}
