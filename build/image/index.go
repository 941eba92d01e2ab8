package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// user is the user of the image, unless the pod sets another. The prober's pod does.
const user = "65532:65532"

// newIndex has one image per platform, under an inner index that has the name. So the name is the same for all
// architectures.
func newIndex(name string, platforms []string) (v1.ImageIndex, error) {
	images := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, argument := range platforms {
		platform, files, ok := strings.Cut(argument, "=")
		if !ok {
			return nil, fmt.Errorf("%q: expected OS/ARCH=FILE[,FILE]", argument)
		}
		p, err := v1.ParsePlatform(platform)
		if err != nil {
			return nil, err
		}
		image, err := newImage(*p, strings.Split(files, ","))
		if err != nil {
			return nil, err
		}
		images = mutate.AppendManifests(images, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: p}})
	}
	return mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: images, Descriptor: v1.Descriptor{
		Annotations: map[string]string{
			"io.containerd.image.name":          name, // containerd
			"org.opencontainers.image.ref.name": name, // other tools
		},
	}}), nil
}

func newImage(platform v1.Platform, files []string) (v1.Image, error) {
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, file := range files {
		layer, err := newLayer(file)
		if err != nil {
			return nil, err
		}
		if image, err = mutate.AppendLayers(image, layer); err != nil {
			return nil, err
		}
	}
	return mutate.ConfigFile(image, withConfig(image, platform, "/"+filepath.Base(files[0])))
}

// withConfig completes the configuration that mutate has filled with the layers' digests.
func withConfig(image v1.Image, platform v1.Platform, entrypoint string) *v1.ConfigFile {
	config, err := image.ConfigFile()
	if err != nil {
		panic(err) // computed in memory from layers in memory
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = platform.OS, platform.Architecture
	config.Config = v1.Config{Entrypoint: []string{entrypoint}, User: user}
	return config
}

// newLayer is not compressed: gzip's output differs between versions of Go, and the nodes of the test cluster import
// uncompressed layers in half the time.
func newLayer(file string) (v1.Layer, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	layer, err := archive([]entry{{name: filepath.Base(file), mode: 0o755, content: content}})
	if err != nil {
		return nil, err
	}
	return static.NewLayer(layer, types.OCIUncompressedLayer), nil
}
