(* Large weights: the change of variables (42) turns (7) into (43). *)
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Companion Require Import Letters Eq7 Eq42 Eq43 Basics.
Open Scope R_scope.

(* Letters before and after the change: the same constants, and for each moment t a frame in which (42) holds
   of the old variables at t and the new ones at their own moment. *)
Definition rescaled (L K : letters) (frame : R -> letters) : Prop :=
  0 < G L /\ G K = G L /\
  dx2 K = dx2 L /\ tau_h K = tau_h L /\ tau_y K = tau_y L /\ dy2_target K = dy2_target L /\
  forall t, eq42 (frame t) t /\ G (frame t) = G L /\
    dh2 (frame t) t = dh2 L t /\ dy2 (frame t) t = dy2 L t /\ w (frame t) t = w L t /\
    dh2_scaled (frame t) = dh2 K (t_scaled (frame t)) /\
    dy2_scaled (frame t) = dy2 K (t_scaled (frame t)) /\
    w_scaled (frame t) = w K (t_scaled (frame t)).

(* If f(t) = g k(g t) for all t, the rate of k at g t is that of f at t, over g twice. *)
Lemma rescaled_rate : forall (f k : R -> R) (g a t v : R), 0 < g -> a <> 0 ->
  (forall t, f t = a * k (g * t)) -> is_derive f t v -> is_derive k (g * t) (v / (a * g)).
Proof.
  intros f k g a t v Hg Ha E Hf.
  apply (rate_as _ (fun t => / a * f (/ g * t)) (g * t) _ (/ a * (/ g * v))).
  - assert (Hf' : is_derive f (/ g * (g * t)) v)
      by (replace (/ g * (g * t)) with t by (field; lra); exact Hf).
    auto_derive; [eexists; exact Hf' | known_rates; ring].
  - intros t'; rewrite E; replace (g * (/ g * t')) with t' by (field; lra); field; exact Ha.
  - field; lra.
Qed.

(* The variables of (42) satisfy (43) wherever the old ones satisfy (7): only the distance of the targets has
   changed. Checks (7), (42) and (43). *)
Theorem eq43_holds : forall L K frame t, rescaled L K frame ->
  0 < tau_h L -> 0 < tau_y L -> 0 < dh2 L t -> eq7 L t -> eq43 K (t_scaled (frame t)).
Proof.
  intros L K frame t (HG & EG & Edx & Eh & Ey & Ed & H) Hh Hy Hpos (Hdh & Hdy & Hw).
  assert (Htime : forall t, t_scaled (frame t) = G L * t).
  { intros t'; destruct (H t') as ((_ & _ & _ & E) & EGf & _); unfold eq42_4 in E.
    rewrite EGf in E; rewrite E at 2; field; lra. }
  assert (Hdh2 : forall t, dh2 L t = G L * dh2 K (G L * t)).
  { intros t'; destruct (H t') as ((E & _) & EGf & E1 & _ & _ & E2 & _); unfold eq42_1 in E.
    now rewrite <- E1, E, EGf, E2, Htime. }
  assert (Hdy2 : forall t, dy2 L t = G L ^ 2 * dy2 K (G L * t)).
  { intros t'; destruct (H t') as ((_ & E & _) & EGf & _ & E1 & _ & _ & E2 & _); unfold eq42_2 in E.
    rewrite <- E1, E, EGf, E2, Htime; ring. }
  assert (Hw2 : forall t, w L t = G L ^ 2 * w K (G L * t)).
  { intros t'; destruct (H t') as ((_ & _ & E & _) & EGf & _ & _ & E1 & _ & _ & E2); unfold eq42_3 in E.
    rewrite <- E1, E, EGf, E2, Htime; ring. }
  assert (HG2 : G L ^ 2 <> 0) by (apply pow_nonzero; lra).
  assert (Hpos' : 0 < dh2 K (G L * t)) by (rewrite Hdh2 in Hpos; nra).
  apply rate in Hdh, Hdy, Hw; rewrite Htime; split; [ | split]; apply rate.
  - assert (HG1 := Rgt_not_eq _ _ HG).
    apply (rate_as _ _ _ _ _ (rescaled_rate _ _ _ (G L) t _ HG HG1 Hdh2 Hdh)); [reflexivity | ].
    rewrite Hw2, Edx, Eh; field; lra.
  - apply (rate_as _ _ _ _ _ (rescaled_rate _ _ _ (G L ^ 2) t _ HG HG2 Hdy2 Hdy)); [reflexivity | ].
    rewrite Hw2, Hdy2, Hdh2, Edx, Eh, Ey; field; lra.
  - apply (rate_as _ _ _ _ _ (rescaled_rate _ _ _ (G L ^ 2) t _ HG HG2 Hw2 Hw)); [reflexivity | ].
    rewrite Hw2, Hdy2, Hdh2, Edx, Eh, Ey, Ed, EG; field; lra.
Qed.
