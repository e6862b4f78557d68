# How the running node was built does not matter to a Node-API addon; without this file gyp would take that over.
{ 'variables': {}, 'target_defaults': {} }
