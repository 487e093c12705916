// planted_bugs: checks of a session that a test takes out one by one, to see that they are missed.
// Never set in use.
#pragma once

namespace holdfast {

struct planted_bugs {
  bool ignore_number = false;   ///< frames are taken whatever session they bear
  bool ignore_older = false;    ///< an id's older session stays open beside the newer one
  bool ignore_fencing = false;  ///< an instance that was taken over may come back
};

}  // namespace holdfast
