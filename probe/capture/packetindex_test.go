package capture

import (
	"bufio"
	"bytes"
	"path/filepath"
	"testing"
)

// spill returns the example's records as a Recorder writes them.
func spill(t testing.TB) []byte {
	var b bytes.Buffer
	r := NewRecorder(&b)
	for _, p := range example() {
		r.Record(p)
	}
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func find(b []byte, most int) ([]packetLocation, int, error) {
	return indexPackets(bufio.NewReader(bytes.NewReader(b)), most)
}

// A writer that is killed may leave an incomplete block, which is ignored.
func TestWholeBlocksOfACutSpillAreFound(t *testing.T) {
	b := spill(t)
	whole, _, err := find(b, 100)
	if err != nil || len(whole) != len(example()) {
		t.Fatalf("%d blocks found, %v", len(whole), err)
	}
	for cut := range b {
		want := 0
		for _, p := range whole {
			if p.offset+p.size <= int64(cut) {
				want++
			}
		}
		if found, left, err := find(b[:cut], 100); err != nil || left != 0 || len(found) != want {
			t.Fatalf("cut at %d: %d blocks and %d too many, %v; want %d", cut, len(found), left, err, want)
		}
	}
}

func TestPacketsBeyondTheLimitAreCounted(t *testing.T) {
	found, left, err := find(spill(t), 4)
	if err != nil || len(found) != 4 || left != len(example())-4 {
		t.Errorf("%d blocks, %d too many, %v", len(found), left, err)
	}
	if got, want := comment(nil, left), "6 packets more were too many to be kept"; got != want {
		t.Errorf("comment %q, want %q", got, want)
	}
}

func FuzzIndexPackets(f *testing.F) {
	f.Add(spill(f))
	f.Add(golden(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		found, left, err := find(b, 1<<10)
		if err != nil {
			return
		}
		end := int64(0)
		for _, p := range found {
			if p.offset != end || p.size < packetHead+4 {
				t.Fatalf("packet %+v after %d", p, end)
			}
			end += p.size
		}
		if end > int64(len(b)) || left > 0 && len(found) < 1<<10 {
			t.Fatalf("%d bytes of %d in %d blocks, %d too many", end, len(b), len(found), left)
		}
	})
}

// What Check accepts consists of whole blocks only.
func FuzzCheck(f *testing.F) {
	f.Add(golden(f))
	f.Add(spill(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		if Check(b) != nil {
			return
		}
		for i, kinds := 0, []uint32{sectionBlock, interfaceBlock}; len(b) > 0; i++ {
			if i < 2 && little.Uint32(b) != kinds[i] || i >= 2 && little.Uint32(b) != packetBlock {
				t.Fatalf("block %d is of kind %d", i, little.Uint32(b))
			}
			b = b[little.Uint32(b[4:]):]
		}
	})
}

func TestCheckRefusesDamage(t *testing.T) {
	whole := record(t, filepath.Join(t.TempDir(), "run.pcapng"), example())
	if err := Check(whole); err != nil {
		t.Fatal(err)
	}
	heads := map[int]bool{} // positions at which a file can be cut and is still complete
	for n, offset := 0, 0; offset <= len(whole); n++ {
		if heads[offset] = n >= 2; offset == len(whole) {
			break
		}
		offset += int(little.Uint32(whole[offset+4:]))
	}
	for cut := range whole {
		if err := Check(whole[:cut]); (err == nil) != heads[cut] {
			t.Errorf("cut after %d bytes: %v", cut, err)
		}
	}
}
