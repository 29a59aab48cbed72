# Builds a clone. It is not in the package: npm, yarn and others build whatever has a binding.gyp at its root, when they
# install from a lock file even where package.json forbids it.
{
  "variables": { "sources_folder": "src" },
  "includes": ["src/binding.gyp"]
}
