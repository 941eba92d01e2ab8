package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"fmt"
	"maps"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx"
	"github.com/spdx/tools-golang/spdx/v2/common"
)

const (
	source  = "https://github.com/tcpprobe/tcpprobe"
	unknown = "NOASSERTION"
)

// bill is an SPDX document in the making: the programs, and the modules that were compiled into them.
type bill struct {
	release
	document *spdx.Document
	modules  map[string]common.ElementID // by package URL
}

// billOfMaterials reads from each program what its compiler wrote into it.
func (r release) billOfMaterials() ([]byte, error) {
	programs, err := filepath.Glob(filepath.Join(r.programs, "*", "*"))
	if err != nil || len(programs) == 0 {
		return nil, fmt.Errorf("no programs in %s: %w", r.programs, err)
	}
	b := bill{release: r, modules: map[string]common.ElementID{}, document: &spdx.Document{
		SPDXVersion: spdx.Version, DataLicense: spdx.DataLicense, SPDXIdentifier: "DOCUMENT",
		DocumentName: "tcpprobe-" + r.version,
		CreationInfo: &spdx.CreationInfo{
			Created:  r.time.Format(time.RFC3339),
			Creators: []common.Creator{{CreatorType: "Tool", Creator: "tcpprobe-build-release"}},
		},
	}}
	whole := sha256.New()
	for _, file := range programs {
		sum, err := b.addProgram(file)
		if err != nil {
			return nil, err
		}
		fmt.Fprintln(whole, sum)
	}
	b.document.DocumentNamespace = fmt.Sprintf("%s/spdx/%s-%x", source, r.version, whole.Sum(nil))
	var text bytes.Buffer
	if err := json.Write(b.document, &text, json.Indent(" ")); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}

// addProgram adds the program and its modules. It returns the program's checksum.
func (b *bill) addProgram(file string) (string, error) {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return "", err
	}
	sum, err := checksum(file)
	if err != nil {
		return "", err
	}
	name := filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file) // OS-ARCH/PROGRAM
	id := common.ElementID("Program-" + strings.ReplaceAll(name, "/", "-"))
	b.document.Packages = append(b.document.Packages, &spdx.Package{
		PackageName: name, PackageSPDXIdentifier: id, PackageVersion: b.version, PackageFileName: name,
		PackageDownloadLocation: "git+" + source, PackageChecksums: []common.Checksum{{Algorithm: common.SHA256, Value: sum}},
		PackageLicenseConcluded: "Apache-2.0", PackageLicenseDeclared: "Apache-2.0", PackageCopyrightText: unknown,
		PrimaryPackagePurpose: "APPLICATION",
	})
	b.relate("DOCUMENT", "DESCRIBES", id)
	for module, version := range modulesOf(info) {
		b.relate(id, "STATIC_LINK", b.module(module, version))
	}
	return sum, nil
}

// modulesOf yields the name and the version of each module in a program, the standard library too.
func modulesOf(info *buildinfo.BuildInfo) func(yield func(string, string) bool) {
	versions := map[string]string{"stdlib": strings.TrimPrefix(info.GoVersion, "go")}
	for _, m := range info.Deps {
		inside := replacement(m)
		versions[inside.Path] = inside.Version
	}
	return func(yield func(string, string) bool) {
		for _, name := range slices.Sorted(maps.Keys(versions)) {
			if !yield(name, versions[name]) {
				return
			}
		}
	}
}

func replacement(m *debug.Module) *debug.Module {
	if m.Replace != nil {
		return m.Replace
	}
	return m
}

// module is the identifier of a module, which is added once.
func (b *bill) module(name, version string) common.ElementID {
	url := fmt.Sprintf("pkg:golang/%s@%s", name, strings.ReplaceAll(version, "+", "%2B"))
	if id, is := b.modules[url]; is {
		return id
	}
	id := common.ElementID(fmt.Sprintf("Module-%x", sha256.Sum256([]byte(url))))
	b.modules[url] = id
	b.document.Packages = append(b.document.Packages, &spdx.Package{
		PackageName: name, PackageSPDXIdentifier: id, PackageVersion: version, PackageDownloadLocation: unknown,
		PackageLicenseConcluded: unknown, PackageLicenseDeclared: unknown, PackageCopyrightText: unknown,
		PackageExternalReferences: []*spdx.PackageExternalReference{
			{Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: url},
		},
	})
	return id
}

func (b *bill) relate(from common.ElementID, how string, to common.ElementID) {
	b.document.Relationships = append(b.document.Relationships, &spdx.Relationship{
		RefA: common.MakeDocElementID("", string(from)), RefB: common.MakeDocElementID("", string(to)), Relationship: how,
	})
}
