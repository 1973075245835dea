package storage

import "testing"

func TestARowInOneTextIsReadWholeOrNotAtAll(t *testing.T) {
	var id string
	var n int64
	var set bool
	fields := []any{&id, &n, &set}
	if err := assignText(fields, "số một\x00-7\x001"); err != nil || id != "số một" || n != -7 || !set {
		t.Errorf("%q %d %t %v", id, n, set, err)
	}
	for _, damaged := range []string{"", "a", "a\x001", "a\x00b\x001", "a\x00\x001", "a\x001\x001\x00", "a\x001\x001\x00more"} {
		if err := assignText(fields, damaged); err == nil {
			t.Errorf("%q is taken for a row", damaged)
		}
	}
}
