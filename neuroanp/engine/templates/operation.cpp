{% extends 'common_group.cpp' %}
{% block maincode %}
    {{native(get_array_name, variables)|autoindent}}
{% endblock %}
