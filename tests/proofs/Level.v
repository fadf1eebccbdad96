(* What (7) conserves: (23) and (24), and the system (25) of two variables that is left. *)
From Coq Require Import Reals Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Companion Require Import Letters Eq7 Eq11 Eq23 Eq24 Eq25 Basics.
Open Scope R_scope.

(* The constants of the paper are positive. *)
Definition constants (L : letters) : Prop := 0 < dx2 L /\ 0 < tau_h L /\ 0 < tau_y L /\ 0 < dh2_0 L.

(* A trajectory of (7) until T along which ||dh||^2 > 0, with the given start. *)
Definition trajectory (L : letters) (T : R) : Prop :=
  constants L /\ dh2 L 0 = dh2_0 L /\ dy2 L 0 = dy2_0 L /\
  forall t, 0 <= t <= T -> eq7 L t /\ 0 < dh2 L t.

(* Along (7) the ratio ||dy||^2/||dh||^2 moves in proportion to ||dh||^2, (23). Checks (7), (23). *)
Theorem eq23_holds : forall L t, constants L -> eq7 L t -> 0 < dh2 L t -> eq23 L t.
Proof.
  intros L t (Hdx & Hh & Hy & _) (Edh & Edy & _) H.
  apply rate in Edh, Edy.
  assert (Hratio : is_derive (fun t : R => dy2 L t / dh2 L t) t (- w L t / tau_y L)).
  { auto_derive; [derivable; lra | known_rates; field; lra]. }
  split; [eexists; exact Hratio | split; [eexists; exact Edh | ]].
  rewrite (is_derive_unique _ _ _ Hratio), (is_derive_unique _ _ _ Edh); field; lra.
Qed.

(* ||dy||^2 is therefore the quadratic function (24) of ||dh||^2 at every moment of a trajectory.
   Checks (7), (24). *)
Theorem eq24_holds : forall L T, trajectory L T -> 0 <= T -> eq24 L T.
Proof.
  intros L T (Hconst & E0 & Ey0 & H) HT; assert (Hc := Hconst); destruct Hc as (Hdx & Hh & Hy & H0).
  pose (kept := fun t => dy2 L t / dh2 L t - tau_h L / (dx2 L * tau_y L) * dh2 L t).
  assert (E : kept T = kept 0).
  { apply constant; [ | exact HT]; intros t Ht; destruct (H t Ht) as ((Edh & Edy & _) & Hpos).
    apply rate in Edh, Edy.
    unfold kept; auto_derive; [derivable; lra | known_rates; field; lra]. }
  destruct (H T (conj HT (Rle_refl T))) as (_ & Hpos).
  unfold kept in E; rewrite E0, Ey0 in E; unfold eq24, eq24_1.
  replace (dy2 L T) with ((dy2 L T / dh2 L T) * dh2 L T) by (field; lra).
  replace (dy2 L T / dh2 L T) with (dy2_0 L / dh2_0 L - tau_h L / (dx2 L * tau_y L) * dh2_0 L
                                    + tau_h L / (dx2 L * tau_y L) * dh2 L T) by lra.
  field; lra.
Qed.

(* In the paper's letters (11), (24) is dy^2 = k dh^2 (dh^2 - A_high), with k = tau_h/(tau_y dx^2). *)
Lemma level : forall L t, constants L -> eq11_1 L -> eq24 L t ->
  dy2 L t = tau_h L / (dx2 L * tau_y L) * dh2 L t * (dh2 L t - A_high L).
Proof.
  intros L t (Hdx & Hh & Hy & H0) Hhigh E; unfold eq11_1 in Hhigh; rewrite Hhigh, E; field; lra.
Qed.

(* With (24), the first and the last line of (7) are the system (25). Checks (7), (24), (25). *)
Theorem eq25_holds : forall L t, constants L -> eq7 L t -> eq24 L t -> 0 < dh2 L t -> eq25 L t.
Proof.
  intros L t (Hdx & Hh & Hy & H0) (Edh & _ & Ew) E24 H; split; [exact Edh | ].
  apply rate in Ew; apply rate; apply (rate_as _ _ _ _ _ Ew); [reflexivity | ].
  rewrite E24; field; lra.
Qed.
