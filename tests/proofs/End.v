(* Where training ends, and from which starts it does not. *)
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Companion Require Import Letters Eq10 Eq11 EqE6 EqE10 Basics Exact Variables Limits.
Open Scope R_scope.

(* The right side of (10), with its root or with twice or half of that, is tau_y (c + 2 A). *)
Lemma eq10_in_scaled_letters : forall L, start L -> exact L -> eq11 L -> 0 < dy2_target L ->
  (eq10 L <-> dh2_inf L = tau_y L * (c L + 2 * A L)).
Proof.
  intros L begins solved E11 Hd.
  destruct (end_in_letters L begins solved Hd E11) as (Ehigh & _).
  assert (Hroot := root_times L begins solved Hd E11).
  assert (E : eq10_1_right L = tau_y L * (c L + 2 * A L)).
  { unfold eq10_1_right.
    match goal with |- context [sqrt ?X] =>
      first [ rewrite (Hroot 1 X) by (lra || field) | rewrite (Hroot 2 X) by (lra || field)
            | rewrite (Hroot (/ 2) X) by (lra || field) ]
    end.
    rewrite Ehigh; field. }
  rewrite <- E; reflexivity.
Qed.

(* From every allowed start with different targets and a_+ not zero, ||dh||^2 has a limit, and the number
   dh2_inf is this limit if and only if it is (10), with A_high and A_low from (11).
   Checks (10), (11), (E4) and (E6). *)
Theorem exact_ends_at_eq10 : forall L, start L -> exact L -> variables L -> eqE6 L -> eq11 L ->
  0 < dy2_target L -> a_plus L <> 0 ->
  (is_lim (dh2 L) p_infty (dh2_inf L) <-> eq10 L).
Proof.
  intros L begins solved given modes E11 Hd Ha.
  assert (Hlim := distance_tends L begins solved given modes Hd Ha).
  rewrite (eq10_in_scaled_letters L begins solved E11 Hd); split.
  - intros H; exact (tends_once _ _ _ H Hlim).
  - intros ->; exact Hlim.
Qed.

(* From every allowed start with different targets and a_+ not zero, the number dh2_inf is the limit of
   ||dh||^2 if and only if it is (E10).
   Checks (E4), (E6) and (E10). *)
Theorem exact_ends_at_eqE10 : forall L, start L -> exact L -> variables L -> eqE6 L ->
  0 < dy2_target L -> a_plus L <> 0 ->
  (is_lim (dh2 L) p_infty (dh2_inf L) <-> eqE10 L).
Proof.
  intros L begins solved given modes Hd Ha.
  assert (Hlim := distance_tends L begins solved given modes Hd Ha).
  assert (HA : 0 < A L) by apply solved.
  assert (E : tau_y L * (c L + 2 * A L) = 4 * A L * tau_y L * cos_phi L ^ 2)
    by (rewrite (cos_squared L begins solved modes Hd); field; lra).
  unfold eqE10, eqE10_1; split.
  - intros H; rewrite (tends_once _ _ _ H Hlim); exact E.
  - intros ->; rewrite <- E; exact Hlim.
Qed.

(* From every allowed start with different targets and a_+ not zero, all is learned: ||dy||^2 tends to
   ||dy*||^2 and w = ||dy||^2 - dy.dy* to zero, so ||dy - dy*||^2 = ||dy*||^2 - ||dy||^2 + 2 w tends to zero.
   Checks (E4), (E6). *)
Theorem exact_learns_all : forall L, start L -> exact L -> variables L -> eqE6 L ->
  0 < dy2_target L -> a_plus L <> 0 ->
  is_lim (dy2 L) p_infty (dy2_target L) /\ is_lim (w L) p_infty 0
  /\ is_lim (fun t => dy2_target L - dy2 L t + 2 * w L t) p_infty 0.
Proof.
  intros L begins solved given modes Hd Ha.
  assert (Hdy := outputs_tend L begins solved given modes Hd Ha).
  assert (Hw := error_tends L begins solved given modes Hd Ha).
  split; [exact Hdy | split; [exact Hw | ]].
  apply (tends_as _ (fun t => dy2_target L + -1 * dy2 L t + 2 * w L t) _
           (dy2_target L + -1 * dy2_target L + 2 * 0)); [ | intros; ring | ring].
  apply tends_plus; [apply tends_plus | ]; [apply tends_constant | | ];
    (apply tends_times; [apply tends_constant | assumption]).
Qed.

(* From an allowed start with different targets and a_+ = 0 in (E6), ||dh||^2 tends to zero, which (10) is
   not.
   Checks (10), (11), (E4) and (E6). *)
Theorem excluded_starts_vanish : forall L, start L -> exact L -> variables L -> eqE6 L -> eq11 L ->
  0 < dy2_target L -> a_plus L = 0 ->
  is_lim (dh2 L) p_infty 0 /\ (eq10 L -> ~ is_lim (dh2 L) p_infty (dh2_inf L)).
Proof.
  intros L begins solved given modes E11 Hd Ha.
  assert (Hlim := distance_vanishes L begins solved given modes Hd Ha).
  split; [exact Hlim | ].
  intros E H; assert (H0 := tends_once _ _ _ H Hlim).
  destruct (A_above_c L begins solved Hd) as (Hup & _).
  assert (Hy : 0 < tau_y L) by apply begins.
  apply (eq10_in_scaled_letters L begins solved E11 Hd) in E; rewrite H0 in E.
  assert (0 < tau_y L * (c L + 2 * A L)) by (apply Rmult_lt_0_compat; lra).
  lra.
Qed.

(* For targets that differ, the starts with a_+ = 0 are those that are opposed to the target, x_0 < 0, and lie
   on the surface c = - 2 A y_0^2/(2 A + p_0^2 + x_0^2), so that c <= 0; with one output (y_0 = 0) they are
   the balanced, exactly opposed starts, c = 0 and x_0 = - p_0.
   Checks (E6). *)
Theorem excluded_starts : forall L, start L -> exact L -> eqE6 L -> 0 < dy2_target L ->
  (a_plus L = 0
   <-> x_0 L < 0 /\ c L = - (2 * A L * y_0 L ^ 2 / (2 * A L + p_0 L ^ 2 + x_0 L ^ 2))) /\
  (a_plus L = 0 -> c L <= 0) /\
  (y_0 L = 0 -> (a_plus L = 0 <-> c L = 0 /\ x_0 L = - p_0 L)).
Proof.
  intros L begins solved modes Hd; split.
  { now apply surface. }
  split.
  - intros Ha; apply (nothing_grows L begins solved modes Hd Ha).
  - intros Hy; split.
    + intros Ha; now apply (nothing_grows L begins solved modes Hd Ha).
    + intros (Hc & Hx).
      assert (Ha2 := a_plus_squared L begins solved modes Hd).
      destruct solved as (E6 & HA & _).
      assert (H2 := A_squared L E6); assert (Hs := s_positive L begins Hd).
      assert (HAs : A L = s L) by (rewrite Hc in H2; nra).
      apply Rsqr_0_uniq; unfold Rsqr; replace (a_plus L * a_plus L) with (a_plus L ^ 2) by ring.
      rewrite Ha2, Hc, Hx, HAs; field; lra.
Qed.
