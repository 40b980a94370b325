//! The sei.io/v1alpha1 wire types: schema and names, no behaviour.
