// A shared object that is no plugin.
int no_plugin() { return 1; }
