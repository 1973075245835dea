package sandbox_test

import (
	"net/url"
	"strings"
	"testing"
)

func TestTheConsoleArmsAndDisarmsFaults(t *testing.T) {
	c := newCrooked(t)
	page := c.r.SandboxURL + "/console/faults"
	post := func(path string, form url.Values) (int, string) {
		resp, body := send(t, "POST", page+path, form.Encode(), "Content-Type: application/x-www-form-urlencoded", "Origin: "+c.r.SandboxURL)
		return resp.StatusCode, body
	}
	if _, body := send(t, "GET", page, ""); !strings.Contains(body, "iss-wrong") || !strings.Contains(body, "Không có lỗi nào đang bật") {
		t.Errorf("the list: %.3000s", body)
	}
	if _, body := send(t, "GET", page+"/C02?client_id=my-portal", ""); !strings.Contains(body, `value="my-portal" selected`) || !strings.Contains(body, `value="trailing-slash" checked`) {
		t.Errorf("the page of a fault: %.3000s", body)
	}
	for _, bad := range []url.Values{{"times": {"-1"}, "percent": {"100"}, "seed": {"0"}}, {"times": {"0"}, "percent": {"0"}, "seed": {"0"}}, {"times": {"0"}, "percent": {"100"}, "seed": {"x"}}, {"times": {"0"}, "percent": {"100"}, "seed": {"0"}, "persona": {"12"}}} {
		if status, body := post("/C02", bad); status != 422 || !strings.Contains(body, "aria-invalid") {
			t.Errorf("%v: %d", bad, status)
		}
	}
	if status, _ := post("/C02", url.Values{"client_id": {"my-portal"}, "variant": {"scheme"}, "times": {"0"}, "percent": {"100"}, "seed": {"0"}}); status != 303 {
		t.Fatal(status)
	}
	if id := c.signIn().ID; id.Claims["iss"] == c.r.Issuer {
		t.Error("armed by the console, it does not strike")
	}
	if _, body := send(t, "GET", page, ""); !strings.Contains(body, ">scheme<") || !strings.Contains(body, "my-portal") {
		t.Error("the list does not show what is armed")
	}
	if status, _ := post("/disarm", url.Values{"id": {"C02"}, "variant": {"scheme"}, "client_id": {"my-portal"}}); status != 303 {
		t.Fatal(status)
	}
	if id := c.signIn().ID; id.Claims["iss"] != c.r.Issuer {
		t.Error("disarmed by the console, it still strikes")
	}
	for path, want := range map[string]int{"/Z99": 404, "/G10": 404} {
		if status, _ := post(path, url.Values{"times": {"0"}, "percent": {"100"}, "seed": {"0"}}); status != want {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _ := post("/C01", url.Values{"times": {"0"}, "percent": {"100"}, "seed": {"0"}, "variant": {"x"}}); status != 422 {
		t.Errorf("an unknown variant: %d", status)
	}
}

func TestAFaultThatLeadsNowhereIsNotOfferedForArming(t *testing.T) {
	r, _ := start(t, nil)
	_, page := send(t, "GET", r.SandboxURL+"/console/faults/D15", "", "Accept: text/html")
	if !strings.Contains(page, "--attack-listen") || strings.Contains(page, `name="probability"`) || strings.Contains(page, `name="percent"`) {
		t.Error("without an attacker the page offers to arm it")
	}
	with := attacked(t)
	if _, page := send(t, "GET", with.r.SandboxURL+"/console/faults/D15", "", "Accept: text/html"); strings.Contains(page, "--attack-listen") || !strings.Contains(page, `name="percent"`) {
		t.Error("with an attacker the page does not offer to arm it")
	}
}
