package op_test

import (
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

func TestWhatWorksOnceWorksOnceOfAHundred(t *testing.T) { worksOnce(t, newWorld(t)) }

// worksOnce lets a hundred requests use one secret of each kind at a time.
func worksOnce(t *testing.T, w *testWorld) {
	w.client(withKeys("keyed", keyPairs()["ES256"]))
	k := kioskIn(t, w)
	device := k.begin("kiosk")
	k.settle(k.scan(device["user_code"].(string)), true)
	code := w.browser().signIn(request("basic", "scope", "openid offline_access"), an).param("code")
	other := w.browser().signIn(request("basic", "scope", "openid offline_access"), an).param("code")
	refresh := w.token("basic", codeForm(other)).json(t)["refresh_token"].(string)
	assertion := assertion(t, keyPairs()["ES256"], "", "ec", w.claimsFor("keyed", nil))
	for name, use := range map[string]func() answer{
		"code": func() answer { return w.token("basic", codeForm(code)) },
		"refresh": func() answer {
			return w.token("basic", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
		},
		"assertion": func() answer { return w.browser().post(w.url+"/oauth/token", asserted(ownToken, assertion)) },
		"device":    func() answer { return k.ask("kiosk", device) },
	} {
		var won, failed atomic.Int32
		var racers sync.WaitGroup
		for range 100 {
			racers.Go(func() {
				switch a := use(); {
				case a.StatusCode == 200:
					won.Add(1)
				case a.StatusCode >= 500:
					failed.Add(1)
				}
			})
		}
		racers.Wait()
		if won.Load() != 1 || failed.Load() != 0 {
			t.Errorf("%s: %d of 100 won, %d failed", name, won.Load(), failed.Load())
		}
	}
}
