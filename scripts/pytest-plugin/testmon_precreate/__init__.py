"""The pytest plugin of testmon-precreate; see plugin.py. PYTEST_DONT_REWRITE"""
