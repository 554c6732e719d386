"""Target vsphere: vSphere VMs."""
