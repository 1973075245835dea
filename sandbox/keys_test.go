package sandbox_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
)

var (
	sealingKey    = base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xfb, 0xef, 0x01, 0x02}, 8))
	newSealingKey = hex.EncodeToString(bytes.Repeat([]byte("canary!!"), 4))
)

type listedKey struct {
	KID, Alg, State string
}

func keysOf(t *testing.T, r *sandbox.Running) (list []listedKey, raw string) {
	t.Helper()
	_, raw = send(t, "GET", r.SandboxURL+"/api/v1/keys", "")
	if err := json.Unmarshal([]byte(raw), &list); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return list, raw
}

func TestAServerWithoutTheKeyOfItsDatabaseRefusesToStartAndSaysWhatIsMissing(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "sandbox.db")
	log := &logBuffer{}
	run := func(key, old string) (*sandbox.Running, error) {
		return sandbox.Start(t.Context(), sandbox.Config{Listen: "127.0.0.1:0", SandboxListen: "127.0.0.1:0", Database: "sqlite:" + file,
			CheapHashes: true, LogOutput: log, SealingKey: key, OldSealingKey: old})
	}
	var kids []listedKey
	for i, step := range []struct{ key, old, says string }{
		{"", "", ""}, // in plain at first
		{sealingKey, "", ""},
		{"", "", "VNEID_SANDBOX_KEY is not set"},
		{newSealingKey, "", "VNEID_SANDBOX_KEY_OLD"},
		{newSealingKey, sealingKey, ""},
		{newSealingKey, "", ""},
	} {
		r, err := run(step.key, step.old)
		if step.says != "" {
			if err == nil || !strings.Contains(err.Error(), step.says) {
				t.Fatalf("step %d: %v, want %q", i, err, step.says)
			}
			continue
		}
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		list, raw := keysOf(t, r)
		if kids == nil {
			kids = list
		}
		if len(list) != 4 || !slices.Equal(list, kids) {
			t.Errorf("step %d: keys %s", i, raw)
		}
		if err := r.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	secret, _ := hex.DecodeString(newSealingKey)
	for where, text := range map[string][]byte{"the log": []byte(log.String()), "the database": content} {
		for _, form := range []string{sealingKey, newSealingKey, string(secret)} {
			if bytes.Contains(text, []byte(form)) {
				t.Errorf("a sealing key stands in %s", where)
			}
		}
	}
}

func TestTheKeysOfAWorldThatNobodyUsesAreEncryptedTogetherWithTheOthers(t *testing.T) {
	database := "sqlite:" + filepath.Join(t.TempDir(), "sandbox.db")
	kid := regexp.MustCompile(`"kid":"[^"]+"`)
	var published []string
	for i, step := range []struct{ key, old string }{{"", ""}, {sealingKey, ""}, {newSealingKey, sealingKey}, {newSealingKey, ""}} {
		log := &logBuffer{}
		r, err := sandbox.Start(t.Context(), sandbox.Config{Listen: "127.0.0.1:0", SandboxListen: "127.0.0.1:0", Database: database,
			CheapHashes: true, LogOutput: log, SealingKey: step.key, OldSealingKey: step.old})
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		switch i {
		case 0:
			send(t, "POST", r.SandboxURL+"/api/v1/worlds", `{"id": "a"}`, "Content-Type: application/json")
			_, raw := send(t, "GET", r.Issuer+"/w/a/keys", "")
			published = kid.FindAllString(raw, -1)
		case 3:
			resp, raw := send(t, "GET", r.Issuer+"/w/a/keys", "")
			now := kid.FindAllString(raw, -1)
			slices.Sort(now)
			slices.Sort(published)
			if resp.StatusCode != 200 || len(now) != 4 || !slices.Equal(now, published) {
				t.Errorf("%s %s, published before: %s", resp.Status, now, published)
			}
		}
		for deadline := time.Now().Add(15 * time.Second); step.key != "" && !strings.Contains(log.String(), "keys of every world are encrypted"); {
			if time.Now().After(deadline) {
				t.Fatalf("step %d: not encrypted after 15 s:\n%s", i, log)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if err := r.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheClockDrivesTheScheduleOfTheKeys(t *testing.T) {
	r, log := start(t, func(c *sandbox.Config) { c.KeyRotation = "720h" })
	for _, step := range []struct {
		advance string
		states  string
	}{{"720h", "active next"}, {"5m", "active former"}, {"10m", "active retired"}} {
		send(t, "POST", r.SandboxURL+"/api/v1/clock", `{"advance":"`+step.advance+`"}`, "Content-Type: application/json")
		var got string
		for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
			list, _ := keysOf(t, r)
			var states []string
			for _, k := range list {
				if k.Alg == "RS256" {
					states = append(states, k.State)
				}
			}
			slices.Sort(states)
			if got = strings.Join(states, " "); got == step.states {
				break
			}
		}
		if got != step.states {
			t.Fatalf("after %s: %q, want %q\n%s", step.advance, got, step.states, log.String())
		}
	}
}

func TestSettingsOfTheKeysAreChecked(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		env  []string
		says string
	}{
		"too often":        {[]string{"--key-rotation", "10m"}, nil, "--key-rotation"},
		"no duration":      {nil, []string{"VNEID_SANDBOX_KEY_ROTATION=monthly"}, "VNEID_SANDBOX_KEY_ROTATION"},
		"negative":         {[]string{"--key-rotation=-2160h"}, nil, "2160h"},
		"zero":             {[]string{"--key-rotation=0s"}, nil, "write off"},
		"a short key":      {nil, []string{"VNEID_SANDBOX_KEY=c2hvcnQ="}, "32 bytes in base64 or hex"},
		"a key with flaws": {nil, []string{"VNEID_SANDBOX_KEY=" + sealingKey[1:] + "!"}, "openssl rand -base64 32"},
		"old without new":  {nil, []string{"VNEID_SANDBOX_KEY_OLD=" + sealingKey}, "without VNEID_SANDBOX_KEY"},
		"a flag for it":    {[]string{"--key", sealingKey}, nil, "--key"},
		"in the file":      {[]string{"--config", write(t, "key: "+sealingKey+"\n")}, nil, "key"},
		"rotation in file": {[]string{"--config", write(t, "key_rotation: 1m\n")}, nil, "sandbox.yaml:1"},
	} {
		_, err := sandbox.ParseServe(c.args, env(c.env...))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		} else if name != "a flag for it" && strings.Contains(err.Error(), sealingKey[1:]) {
			t.Errorf("%s: the message repeats the key", name)
		}
	}
	for _, key := range []string{sealingKey, newSealingKey, strings.TrimRight(sealingKey, "="), strings.NewReplacer("+", "-", "/", "_").Replace(sealingKey)} {
		c, err := sandbox.ParseServe([]string{"--config", write(t, "key_rotation: 2160h\n")}, env("VNEID_SANDBOX_KEY="+key, "VNEID_SANDBOX_KEY_OLD="+key))
		if err != nil || c.SealingKey != key || c.OldSealingKey != key || c.KeyRotation != "2160h" {
			t.Errorf("%v", err)
		}
	}
	if c, err := sandbox.ParseServe(nil, noEnv); err != nil || c.KeyRotation != "off" || c.SealingKey != "" {
		t.Errorf("%v %q", err, c.KeyRotation)
	}
	if _, err := sandbox.Start(t.Context(), sandbox.Config{SealingKey: "x", LogOutput: io.Discard}); err == nil {
		t.Error("Start takes any key")
	}
}
