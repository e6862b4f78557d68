# node-gyp wants the folder of a Node.js source release. Node-API addons need nothing from there: the headers come
# from the npm package node-api-headers, the flags from binding.gyp. This is the least that gyp accepts.
{
  'target_defaults': {
    'default_configuration': 'Release',
    'configurations': { 'Release': {} },
  },
}
